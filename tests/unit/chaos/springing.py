"""Springs traps: runs the real toolkit on each, in a process of its own that is forked after the imports, which are the slow part.

`python -m tests.unit.chaos.springing` with FAILWHALE_HOME set; a JSON list of traps comes on stdin, one of what came of them goes to stdout.
"""

from __future__ import annotations

import os
import signal
import sys
import time
import traceback

import msgspec
from chaostoolkit.cli import cli

from chaos import actions, controls, discovery, halt, reaper, session, toolkit, undo
from chaos.session import Session
from reference_app.contract.plan import FILE, Plan, phases
from reference_app.kit import deciders, files, lease
from reference_app.kit.home import REPOSITORY, Home
from tests.unit.chaos.trapped import SWITCH, Came, Trap

AHEAD_S = 600.0
"""The lease lasts for all of them."""


def _run(home: Home, trap: Trap) -> Came:
    run = Session(home, trap.name)
    lease.take(home.chaos, run.run_id, now=time.time() + AHEAD_S)
    files.write_json(run.run_dir / FILE, _plan(trap))
    experiment = run.run_dir / "experiment.json"
    files.write_json(experiment, trap.document)
    if trap.halted:
        halt.pull(home.chaos, trap.halted, now=time.time())
    began = time.monotonic()
    code = _forked(run, trap, toolkit.command(experiment, run.run_dir)[3:])
    seconds = time.monotonic() - began
    halt.release(home.chaos)
    left, switch = [record.fault.kind for record in undo.pending(home)], _switch(home)
    undo.replay(home, by="drill")
    return Came(trap.name, code, round(seconds, 2), left, switch, _switch(home))


def _forked(run: Session, trap: Trap, arguments: list[str]) -> int:
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    (run.run_dir / "chaos").mkdir(exist_ok=True)
    console = os.open(run.run_dir / "chaos" / "console.log", os.O_WRONLY | os.O_CREAT)
    os.dup2(console, 1)
    os.dup2(console, 2)
    os.chdir(REPOSITORY)
    signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored in what a script starts in its background
    if trap.session:
        os.environ[session.RUN_DIR_VARIABLE] = str(run.run_dir)
    try:
        cli([*arguments[:-1], *trap.options, arguments[-1]], prog_name="chaos")
    except SystemExit as ended:
        os._exit(int(ended.code or 0))  # what Python does with it; without taking a big interpreter apart, which is slow
    except BaseException:  # noqa: BLE001
        traceback.print_exc()
    os._exit(1)


def _plan(trap: Trap) -> Plan:
    return Plan(trap.name, "d", 1, "small", "goal", time.time(), phases(), True, trap.inject_at, trap.inject_at + 40, "passed")


def _switch(home: Home) -> int:
    return deciders.read(home.deciders_file)[SWITCH]


def _main() -> None:
    home, traps = Home.from_environment(), msgspec.json.decode(sys.stdin.buffer.read(), type=list[Trap])
    lease.take(home.chaos, "before", now=time.time() + AHEAD_S)
    reaper.ensure(home)
    for package in (actions, controls):  # imported once, not in each process that is forked
        discovery.modules(package)
    came = [_run(home, trap) for trap in traps]
    lease.release(home.chaos)
    sys.stdout.buffer.write(msgspec.json.encode(came))


if __name__ == "__main__":
    _main()
