"""A run that is there to be killed: it holds the lease, has a load, and a toolkit that applies faults and never takes one back.

`python -m tests.experiments.doomed RUN_ID FAULTS` with the faults as JSON; whatever the toolkit does is in the run's events.
"""

from __future__ import annotations

import signal
import subprocess
import sys

import msgspec

from chaos import processes, reaper, undo
from chaos.faults.families import AnyFault
from chaos.holder import Holder
from chaos.session import Session
from reference_app.kit.home import REPOSITORY, Home


def command(run_id: str, faults: tuple[AnyFault, ...], *, role: str = "drill") -> list[str]:
    text = msgspec.json.encode(faults).decode()
    return [sys.executable, "-m", "tests.experiments.doomed", run_id, text, role]


def _drill(run: Session, faults: tuple[AnyFault, ...]) -> None:
    with Holder(run.home.chaos, run.run_id):
        reaper.ensure(run.home)
        for role, argv in (("load", ["sleep", "300"]), ("chaos", command(run.run_id, faults, role="toolkit"))):
            child = subprocess.Popen(argv, cwd=REPOSITORY, start_new_session=True)
            processes.register(run.home.chaos, run.run_id, pid=child.pid, role=role)
        signal.pause()


def _toolkit(run: Session, faults: tuple[AnyFault, ...]) -> None:
    for fault in faults:
        undo.inject(run, fault)
    signal.pause()


if __name__ == "__main__":
    here = Session(Home.from_environment(), sys.argv[1])
    {"drill": _drill, "toolkit": _toolkit}[sys.argv[3]](here, msgspec.json.decode(sys.argv[2], type=tuple[AnyFault, ...]))
