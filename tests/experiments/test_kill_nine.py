"""kill -9 of the drill while each kind of fault is in force: whoever is left takes it back, and ends the load."""

from __future__ import annotations

import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from chaos import cgroups, events, firewall, processes, undo
from chaos.faults.families import AnyFault
from chaos.processes import RunProcess
from reference_app.contract.topology import Lab
from reference_app.kit import lease
from reference_app.kit.home import REPOSITORY, Home
from reference_app.stack import marks, program
from reference_app.stack.control import Control
from tests.conftest import Failwhale
from tests.experiments import doomed, kinds
from tests.waiting import await_true

pytestmark = [pytest.mark.lab, pytest.mark.breaks, pytest.mark.verify]

LIMIT_S = 15.0
APPLIED_S = 60.0
APPLIED = ("injected", "prepared", "decider_set")


class Doomed:
    """A run whose faults are in force, about to be killed."""

    def __init__(self, home: Home, faults: tuple[AnyFault, ...]) -> None:
        self._home, self._faults, self._run_id = home, faults, f"20261121T000000Z-doomed-{time.monotonic_ns()}"
        self._drill = subprocess.Popen(doomed.command(self._run_id, faults), cwd=REPOSITORY, start_new_session=True)
        self._of_the_run: list[RunProcess] = []

    def await_faults(self) -> None:
        await_true(lambda: self._applied() == len(self._faults), APPLIED_S, lambda: events.read(self._run_dir))
        self._of_the_run = processes.registered(self._home.chaos)
        assert {process.role for process in self._of_the_run} == {"load", "chaos"}

    def kill(self) -> None:
        """No error when it is dead."""
        self._drill.kill()
        self._drill.wait()

    def stand_still(self) -> None:
        self._drill.send_signal(signal.SIGSTOP)

    def left(self) -> list[str]:
        """What of it is still there, in words."""
        return [*self._run_left(), *(f.kind for f in self._faults if f.in_effect(self._home)), *leftovers(self._home)]

    def undone(self) -> int:
        return sum(event.event == "undone" for event in events.read(self._run_dir))

    def _run_left(self) -> Iterator[str]:
        if lease.read(self._home.chaos) is not None:
            yield "the lease"
        yield from (f"the record of {record.fault.kind}" for record in undo.pending(self._home))
        yield from (f"the process {process.role}" for process in self._of_the_run if process.running)

    def _applied(self) -> int:
        return sum(event.event in APPLIED for event in events.read(self._run_dir))

    @property
    def _run_dir(self) -> Path:
        return self._home.runs / self._run_id


def leftovers(home: Home) -> Iterator[str]:
    """Whatever a fault may leave on the machine that is no part of a lab: rules, groups, agents, mounts; and components that do not answer."""
    lab = home.lab()
    mine = f"failwhale_{lab.port_base}"
    if not firewall.why_not():
        tables = (entry["table"]["name"] for entry in firewall._listed("list", "tables") if "table" in entry)
        yield from (table for table in tables if table.startswith(mine))
    yield from (str(group) for group in cgroups.ROOT.glob(f"**/failwhale-{lab.port_base}-*"))
    known = {component.name for component in lab.components} | {program.SUPERVISORD}
    yield from (f"the agent {name}" for name in marks.components(home.path) if name not in known)
    yield from (line.split()[1] for line in Path("/proc/mounts").read_text().splitlines() if f" {home.path}/" in line)
    yield from Control(home).unanswered()


def kill_all(home: Home, *, only: str = "") -> None:
    """kill -9 of everything that carries the lab's mark, the reaper too, or of one component."""
    found = [process for process in marks.find(home.path) if only in ("", process.component)]
    assert found
    marks.signal_all(found, signal.SIGKILL)


@pytest.fixture(params=kinds.RECIPES)
def start(request: pytest.FixtureRequest, lab: Lab, home: Home, failwhale: Failwhale) -> Iterator[Callable[[], Doomed]]:  # noqa: ARG001 - the lab runs
    """Starts a run with a fault of each kind, skipped where the machine cannot do it. Afterwards the lab is as it was, whatever came of the test."""
    begun: list[Doomed] = []

    def begin() -> Doomed:
        faults = kinds.RECIPES[request.param](home)
        if reason := kinds.why_not(faults):
            pytest.skip(reason)
        begun.append(Doomed(home, faults))
        begun[-1].await_faults()
        return begun[-1]

    yield begin
    for run in begun:
        run.kill()
    if not Control(home).supervised():
        failwhale("up", timeout_s=120)


def test_kill_9_of_the_drill(start: Callable[[], Doomed]) -> None:
    run = start()
    run.kill()
    await_true(lambda: not run.left(), LIMIT_S, run.left)
    assert run.undone() > 0


def test_kill_9_of_supervisord_too_and_then_of_everything(start: Callable[[], Doomed], home: Home, failwhale: Failwhale) -> None:
    run = start()
    kill_all(home, only=program.SUPERVISORD)
    run.kill()
    await_true(lambda: not run.left(), LIMIT_S, run.left)
    run = start()
    run.kill()
    kill_all(home)
    repaired = failwhale("up", timeout_s=120)
    assert repaired.returncode == 0, repaired.stderr
    assert undo.pending(home) == []
    assert [left for left in run.left() if left != "the lease"] == []


@pytest.mark.parametrize("start", ["blackhole"], indirect=True)
def test_a_drill_that_stands_still_loses_its_lease_and_its_fault(start: Callable[[], Doomed]) -> None:
    run = start()
    run.stand_still()
    await_true(lambda: not run.left(), lease.LEASE_SECONDS + LIMIT_S, run.left)
