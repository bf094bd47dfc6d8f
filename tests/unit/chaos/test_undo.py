from __future__ import annotations

import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from chaos import events, halt, processes, undo
from chaos.faults import config
from chaos.faults.base import NotApplicableError
from chaos.faults.config import FlipDecider, SetDecider
from chaos.session import NotAllowedError, Session
from reference_app.kit import deciders, lease
from reference_app.kit.home import Home

Clock = Callable[[], float]


def names(run: Session) -> list[str]:
    return [event.event for event in events.read(run.run_dir)]


def lapsed(run: Session) -> list[bool]:
    return [event.detail.get("lapsed", False) for event in events.read(run.run_dir) if event.event == "undone"]


def value(home: Home) -> int:
    return deciders.read(home.deciders_file)["replica_reads"]


def test_the_inverse_is_on_disk_before_the_fault_is_applied(run: Session, clock: Clock) -> None:
    class Watching(SetDecider, frozen=True, tag="set_decider"):
        def apply(self, home: Home) -> None:
            assert [record.fault.former for record in undo.pending(home)] == [7]
            super().apply(home)

    undo.inject(run, Watching(name="replica_reads", value=0, former=7), clock=clock)
    assert value(run.home) == 0
    assert names(run) == ["undo_written", "decider_set"]


def test_a_fault_has_the_moment_when_applying_it_began(run: Session) -> None:
    now = [100.0]

    class Slow(SetDecider, frozen=True, tag="set_decider"):
        def apply(self, home: Home) -> None:
            super().apply(home)
            now[0] += 5

    undo.inject(run, Slow(name="replica_reads", value=0, former=7), clock=lambda: now[0])
    applied = events.first(events.read(run.run_dir), "decider_set")
    assert applied is not None
    assert applied.at == 100.0


def test_an_undo_restores_the_former_value_and_removes_its_record(run: Session, clock: Clock) -> None:
    deciders.write(run.home, "replica_reads", 2500, by="test")
    undo.inject(run, config.setting(run.home, "replica_reads", 0), clock=clock)
    assert [done.error for done in undo.replay(run.home, by="test", clock=clock)] == [""]
    assert value(run.home) == 2500
    assert undo.pending(run.home) == []
    assert events.read(run.run_dir)[-1].detail == {"by": "test", "number": 1, "measured": {"value": 0.0}}


@pytest.mark.parametrize(
    ("fault", "ended_by_somebody", "lapsed"),
    [
        (FlipDecider("replica_reads", 0, 7, component="gateway-0"), True, True),
        (FlipDecider("replica_reads", 0, 7, component="gateway-0"), False, False),
        (FlipDecider("replica_reads", 0, 7, component="gateway-0", sham=True), True, False),
        (SetDecider("replica_reads", 0, 7), True, False),
    ],
    ids=["a fault that somebody ended", "one that lasted", "a sham", "a setting of the drill"],
)
def test_a_fault_that_was_gone_before_it_was_taken_back_says_so(
    run: Session, clock: Clock, fault: SetDecider, *, ended_by_somebody: bool, lapsed: bool
) -> None:
    undo.inject(run, fault, clock=clock)
    if ended_by_somebody:
        deciders.write(run.home, "replica_reads", 3, by="somebody")
    undo.replay(run.home, by="test", clock=clock)
    assert events.read(run.run_dir)[-1].detail.get("lapsed", False) == lapsed


@pytest.mark.parametrize("ended_by_somebody", [False, True])
def test_of_two_faults_that_turn_one_switch_the_undo_of_one_does_not_accuse_the_other(
    run: Session, clock: Clock, *, ended_by_somebody: bool
) -> None:
    for component in ("gateway-0", "gateway-1"):
        undo.inject(run, FlipDecider("replica_reads", 0, 7, component=component), clock=clock)
    if ended_by_somebody:
        deciders.write(run.home, "replica_reads", 3, by="somebody")
    undo.replay(run.home, by="test", clock=clock)
    assert lapsed(run) == [ended_by_somebody] * 2


def test_of_two_flips_on_one_another_the_first_is_in_force_again_once_the_second_is_taken_back(run: Session, clock: Clock) -> None:
    undo.inject(run, FlipDecider("replica_reads", 0, 7, component="gateway-0"), clock=clock)
    undo.inject(run, FlipDecider("replica_reads", 5, 0, component="gateway-0"), clock=clock)
    undo.replay(run.home, by="test", clock=clock)
    assert lapsed(run) == [False, False]
    assert value(run.home) == 7


def test_undo_runs_newest_first_so_that_changes_on_one_another_end_where_they_began(run: Session, clock: Clock) -> None:
    for step in (1000, 2000, 3000):
        undo.inject(run, config.setting(run.home, "replica_reads", step), clock=clock)
    done = undo.replay(run.home, by="test", clock=clock)
    assert [result.record.number for result in done] == [3, 2, 1]
    assert value(run.home) == deciders.ON


def test_a_second_replay_does_nothing(run: Session, clock: Clock) -> None:
    undo.inject(run, config.setting(run.home, "replica_reads", 0), clock=clock)
    undo.replay(run.home, by="test", clock=clock)
    deciders.write(run.home, "replica_reads", 42, by="test")
    assert undo.replay(run.home, by="test", clock=clock) == []
    assert value(run.home) == 42


def test_a_failed_undo_keeps_its_record_and_does_not_stop_the_others(run: Session, clock: Clock) -> None:
    undo.inject(run, config.setting(run.home, "replica_reads", 0), clock=clock)
    with pytest.raises(ValueError, match="no decider"):
        undo.inject(run, SetDecider(name="gone", value=0, former=1), clock=clock)
    done = undo.replay(run.home, by="test", clock=clock)
    assert ["no decider" in result.error for result in done] == [True, False]
    assert [record.fault.name for record in undo.pending(run.home)] == ["gone"]
    assert names(run).count("undo_failed") == 2
    assert value(run.home) == deciders.ON


def test_only_the_named_run_is_undone(run: Session, clock: Clock) -> None:
    undo.inject(run, config.setting(run.home, "replica_reads", 0), clock=clock)
    assert undo.replay(run.home, by="test", run_id="another", clock=clock) == []
    assert value(run.home) == 0


def test_leftovers_wait_while_a_live_run_holds_the_lab(run: Session) -> None:
    undo.inject(run, config.setting(run.home, "replica_reads", 0))
    assert undo.replay_leftovers(run.home, by="up") == []
    lease.release(run.home.chaos)
    assert len(undo.replay_leftovers(run.home, by="up")) == 1
    assert value(run.home) == deciders.ON


def test_nothing_is_applied_without_the_lease(home: Home) -> None:
    with pytest.raises(NotAllowedError, match="does not hold the lab's lease"):
        undo.inject(Session(home, "run-1"), config.setting(home, "replica_reads", 0))
    assert undo.pending(home) == []
    assert value(home) == deciders.ON


def test_nothing_is_applied_while_chaos_is_halted(run: Session) -> None:
    halt.pull(run.home.chaos, "real incident", now=time.time())
    with pytest.raises(NotAllowedError, match="real incident"):
        undo.inject(run, config.setting(run.home, "replica_reads", 0))
    halt.release(run.home.chaos)
    undo.inject(run, config.setting(run.home, "replica_reads", 0))
    assert value(run.home) == 0


def test_a_fault_that_cannot_apply_changes_nothing(run: Session) -> None:
    with pytest.raises(NotApplicableError, match="outside of"):
        undo.inject(run, config.setting(run.home, "replica_reads", 10_001))
    with pytest.raises(NotApplicableError, match="no decider 'nonsense'"):
        config.setting(run.home, "nonsense", 0)
    assert undo.pending(run.home) == []


@pytest.mark.parametrize("wrong", [0.5, "0", None])
def test_what_could_not_be_read_back_is_not_applied(run: Session, wrong: Any) -> None:
    with pytest.raises(NotApplicableError, match="an argument of a wrong type, with which it could not be taken back"):
        undo.inject(run, SetDecider(name="replica_reads", value=wrong, former=7))
    assert (undo.pending(run.home), undo.unreadable(run.home), names(run)) == ([], [], [])


def test_a_record_names_its_run_and_number(run: Session, tmp_path: Path) -> None:
    undo.inject(run, config.setting(run.home, "replica_reads", 0))
    undo.inject(run, config.setting(run.home, "replica_reads", 1))
    assert sorted(file.name for file in (tmp_path / "chaos" / "undo").iterdir()) == ["run-1-1.json", "run-1-2.json"]


def test_a_sham_is_recorded_as_one_and_changes_nothing(run: Session, clock: Clock) -> None:
    undo.inject(run, SetDecider(name="replica_reads", value=0, former=deciders.ON, sham=True), clock=clock)
    assert value(run.home) == deciders.ON
    undo.replay(run.home, by="test", clock=clock)
    assert names(run) == ["undo_written", "sham_applied", "undone"]
    assert events.read(run.run_dir)[-1].detail["sham"] is True


def test_with_the_faults_of_a_dead_run_its_processes_end_too(run: Session) -> None:
    with subprocess.Popen(["sleep", "60"], start_new_session=True) as load:
        processes.register(run.home.chaos, run.run_id, pid=load.pid, role="load")
        assert undo.replay_leftovers(run.home, by="up") == []
        assert load.poll() is None
        lease.release(run.home.chaos)
        undo.replay_leftovers(run.home, by="up")
        assert load.wait(5) == -signal.SIGTERM
