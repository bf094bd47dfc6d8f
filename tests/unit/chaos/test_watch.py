"""The watcher without a lab: no database answers, and what it cannot see it does not judge."""

from __future__ import annotations

import time

import pytest

from chaos import catalogue, events, halt, host, journal, reaper, undo
from chaos.faults import config
from chaos.session import Session
from chaos.watch import Watch
from loadgen import history
from loadgen.history import Completion, Invoke
from reference_app.contract.plan import FILE, Plan, phases
from reference_app.contract.topology import SMALL, Lab, components
from reference_app.kit import files
from reference_app.kit.home import Home
from tests.unit.chaos.test_damaged_records import full_disk

PERIOD_S = 0.005


@pytest.fixture
def reapers(monkeypatch: pytest.MonkeyPatch) -> list[Home]:
    """Homes for which a reaper was wanted; none is started."""
    asked: list[Home] = []
    monkeypatch.setattr(reaper, "ensure", asked.append)
    return asked


@pytest.fixture
def planned(run: Session, reapers: list[Home]) -> Session:  # noqa: ARG001 - none is started
    """A run in its load, in a lab that is down."""
    files.write_json(run.home.lab_file, Lab(str(run.home.path), "small", 29_900, components(SMALL, 29_900), "key", "password"))
    files.write_json(run.run_dir / FILE, Plan(run.run_id, "d", 1, "small", "goal", time.time(), phases(), True, 70.0, 110.0, "passed"))
    return run


def watch(run: Session, *, runner_gone: bool = False) -> Watch:
    extension = catalogue.load("kill-tweet-shard").extension
    return Watch(run, extension, runner_gone=lambda: runner_gone, period_s=PERIOD_S)


def recorded(run: Session) -> list[tuple[str, str]]:
    return [
        (event.event, event.detail.get("guard", "")) for event in events.read(run.run_dir) if event.event in ("guard_tripped", "halted")
    ]


def test_a_guard_that_trips_is_recorded_once_with_value_and_limit(planned: Session) -> None:
    lines = files.LineWriter(planned.run_dir / history.FILE)
    for n in range(20):
        lines.write(Invoke(n, "home", 1, 70.0 + n, 70.0 + n))
        lines.write(Completion(n, "error", 503, 70.0 + n, 1.0, 1.0, 0.0))
    watching = watch(planned)
    watching.run()
    assert "the guard burn ends the run: home pages were harmed for 20.0 s" in watching.reason
    (trip,) = [event for event in events.read(planned.run_dir) if event.event == "guard_tripped"]
    assert (trip.detail["value"], trip.detail["limit"]) == (20.0, 14.0)


def test_a_toolkit_that_was_killed_leaves_its_fault_to_the_drill_at_once(planned: Session, reapers: list[Home]) -> None:
    undo.inject(planned, config.setting(planned.home, "replica_reads", 0))
    watching = watch(planned, runner_gone=True)
    watching.run()
    assert recorded(planned) == [("guard_tripped", "runner_gone")]
    assert "set_decider" in watching.reason
    assert reapers == [planned.home], "while something is in force somebody stands by who outlives the drill"


@pytest.mark.parametrize("whole_run", [True, False])
def test_a_toolkit_that_has_ended_properly_is_no_violation(planned: Session, *, whole_run: bool) -> None:
    undo.inject(planned, config.setting(planned.home, "replica_reads", 0), whole_run=whole_run)
    if not whole_run:
        files.write_json(journal.path(planned.run_dir), {})
    watching = watch(planned, runner_gone=True)
    watching.start()
    watching.join(20 * PERIOD_S)
    watching.stop()
    assert (watching.reason, recorded(planned)) == ("", [])


def test_a_halt_ends_the_whole_run_with_its_reason(planned: Session) -> None:
    halt.pull(planned.home.chaos, "real incident", now=time.time())
    watching = watch(planned)
    watching.run()
    assert watching.reason == "chaos is halted: real incident"
    assert recorded(planned) == [("halted", "")]


def test_a_machine_in_need_ends_a_run_without_load_too(run: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(host, "free_disk_mib", lambda _: 3.0)
    watching = watch(run)
    watching.run()
    assert "3 MiB of disk space" in watching.reason


def test_a_run_that_cannot_be_watched_ends(planned: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: Home) -> int:
        raise reaper.ReaperNotRunningError("no reaper within 10 s")

    monkeypatch.setattr(reaper, "ensure", refuse)
    undo.inject(planned, config.setting(planned.home, "replica_reads", 0))
    watching = watch(planned)
    watching.run()
    assert recorded(planned) == [("guard_tripped", "blind")]
    assert "no reaper within 10 s" in watching.reason


@pytest.mark.parametrize("halted", [True, False])
def test_a_full_disk_does_not_keep_a_run_from_being_ended(planned: Session, monkeypatch: pytest.MonkeyPatch, *, halted: bool) -> None:
    monkeypatch.setattr(host, "free_disk_mib", lambda _: 0.0)
    if halted:
        halt.pull(planned.home.chaos, "real incident", now=time.time())
    watching = watch(planned)
    with full_disk():
        watching.run()
    assert ("real incident" if halted else "0 MiB of disk space") in watching.reason
