from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from chaos import events, processes, reaper, undo
from chaos.faults import config
from chaos.holder import Holder
from chaos.session import Session
from failwhale import drill
from failwhale.run import Run, Wish
from reference_app.kit import deciders, files, lease
from reference_app.kit.home import Home
from reference_app.kit.lease import Lease
from tests.unit.chaos.test_damaged_records import full_disk
from tests.waiting import freeze


def never(_: float) -> None:
    raise AssertionError("there was no reason to wait")


def dead_pid() -> int:
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        return process.pid


def abandon(run: Session) -> None:
    """The holder is killed: its lease stays, current, and names a process that is gone."""
    held = lease.read(run.home.chaos)
    assert held is not None
    files.write_json(lease.path(run.home.chaos), Lease(held.run_id, dead_pid(), 1, held.expires_at))


def test_nothing_to_watch_ends_the_reaper(home: Home) -> None:
    assert reaper.watch(home, sleep=never)


def test_a_run_whose_holder_died_is_undone_at_once_and_its_lease_removed(run: Session) -> None:
    undo.inject(run, config.setting(run.home, "replica_reads", 0))
    abandon(run)
    assert reaper.watch(run.home, sleep=never)
    assert deciders.read(run.home.deciders_file)["replica_reads"] == deciders.ON
    assert lease.read(run.home.chaos) is None
    assert [event.event for event in events.read(run.run_dir)] == ["undo_written", "decider_set", "lease_lapsed", "undone", "reaped"]


def test_a_released_lease_with_a_fault_left_is_undone_too(run: Session) -> None:
    undo.inject(run, config.setting(run.home, "replica_reads", 0))
    lease.release(run.home.chaos)
    assert reaper.watch(run.home, sleep=never)
    assert undo.pending(run.home) == []


def test_a_live_run_is_left_alone(run: Session) -> None:
    undo.inject(run, config.setting(run.home, "replica_reads", 0))
    waits: list[float] = []

    def sleep(seconds: float) -> None:
        waits.append(seconds)
        assert len(undo.pending(run.home)) == 1
        if len(waits) == 3:
            abandon(run)

    assert reaper.watch(run.home, sleep=sleep)
    assert waits == [reaper.WATCH_SECONDS] * 3


def test_an_undo_that_keeps_failing_is_tried_again_and_given_up_in_the_end(run: Session) -> None:
    with pytest.raises(ValueError, match="no decider"):
        undo.inject(run, config.SetDecider(name="gone", value=0, former=1))
    abandon(run)
    waits: list[float] = []
    assert not reaper.watch(run.home, sleep=waits.append)
    assert len(waits) == reaper.ATTEMPTS
    assert len(undo.pending(run.home)) == 1


def test_a_stale_pid_file_is_no_reaper(home: Home) -> None:
    assert reaper.running(home) is None
    files.write_json(home.chaos / "reaper.json", {"pid": os.getpid(), "started": 1})
    assert reaper.running(home) is None


def test_processes_of_a_run_that_takes_the_lab_while_the_last_one_is_reaped_are_left_alone(
    run: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever starts a drill right after the last one was killed is not killed in its place."""
    undo.inject(run, config.setting(run.home, "replica_reads", 0))
    abandon(run)
    dead, undo_all = lease.read(run.home.chaos), undo.replay

    def next_run_begins(home: Home, **how: Any) -> list[undo.Undone]:
        done = undo_all(home, **how)
        lease.take(home.chaos, "run-2", now=time.time())
        processes.register(home.chaos, "run-2", pid=os.getpid(), role="load")
        return done

    monkeypatch.setattr(undo, "replay", next_run_begins)
    monkeypatch.setattr(processes, "_signal", lambda process, _: pytest.fail(f"{process} was ended"))
    assert reaper.reap(run.home, dead)
    assert [process.run_id for process in processes.registered(run.home.chaos)] == ["run-2"]
    held = lease.read(run.home.chaos)
    assert held is not None
    assert held.run_id == "run-2"


@pytest.mark.parametrize("by", ["the reaper", "up"])
def test_settings_of_a_run_that_takes_the_lab_just_before_are_left_in_force(run: Session, monkeypatch: pytest.MonkeyPatch, by: str) -> None:
    """Else the next drill would measure a lab without its switches, and nobody would know."""
    undo.inject(run, config.setting(run.home, "replica_reads", 0))
    abandon(run)
    dead, alive = lease.read(run.home.chaos), lease.alive

    def next_run_begins(held: Lease | None, *, now: float) -> bool:
        monkeypatch.setattr(lease, "alive", alive)
        answer = alive(held, now=now)
        lease.take(run.home.chaos, "run-2", now=time.time())
        undo.inject(Session(run.home, "run-2"), config.setting(run.home, "breakers", 0), whole_run=True)
        return answer

    monkeypatch.setattr(lease, "alive", next_run_begins)
    if by == "up":
        undo.replay_leftovers(run.home, by=by)
    else:
        assert not lease.alive(dead, now=time.time())
        reaper.reap(run.home, dead)
    assert [record.run_id for record in undo.pending(run.home)] == ["run-2"]
    assert deciders.read(run.home.deciders_file)["breakers"] == 0


def test_what_somebody_else_has_undone_meanwhile_does_not_end_the_reaper(home: Home) -> None:
    assert reaper.reap(home, None)
    assert not home.runs.exists()


def test_a_full_disk_keeps_no_fault_of_a_dead_run_in_force(run: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    undo.inject(run, config.setting(run.home, "replica_reads", 0))
    abandon(run)
    monkeypatch.setattr(config.SetDecider, "undo", lambda *_: None)
    with full_disk():
        assert reaper.watch(run.home, sleep=never)
    assert undo.pending(run.home) == []
    assert lease.read(run.home.chaos) is None


HANGING = """
import fcntl, sys, time
with open(sys.argv[1], "w") as lock:
    fcntl.flock(lock, fcntl.LOCK_EX)
    print("applying", flush=True)
    time.sleep(60)
"""


@contextmanager
def hanging(home: Home, run_id: str) -> Iterator[subprocess.Popen[bytes]]:
    """A toolkit that stands still while it applies a fault."""
    argv = [sys.executable, "-c", HANGING, str(home.chaos / "undo.lock")]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, start_new_session=True) as toolkit:
        try:
            assert toolkit.stdout is not None
            assert toolkit.stdout.readline() == b"applying\n"
            freeze(toolkit)
            processes.register(home.chaos, run_id, pid=toolkit.pid, role="chaos")
            yield toolkit
        finally:
            toolkit.kill()


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(undo, "STUCK_SECONDS", 0.1)
    monkeypatch.setattr(processes, "GRACE_SECONDS", 0.1)


@pytest.mark.timeout(30)
@pytest.mark.usefixtures("impatient")
def test_a_toolkit_that_hangs_while_it_applies_a_fault_is_ended_and_the_fault_undone(run: Session) -> None:
    undo.inject(run, config.setting(run.home, "replica_reads", 0))
    with hanging(run.home, run.run_id) as toolkit:
        abandon(run)
        assert reaper.watch(run.home, sleep=never)
        assert toolkit.wait(5) == -signal.SIGKILL
    assert undo.pending(run.home) == []
    assert deciders.read(run.home.deciders_file)["replica_reads"] == deciders.ON
    assert events.read(run.run_dir)[-1].detail["ended"] == ["chaos"]


@pytest.mark.timeout(30)
@pytest.mark.usefixtures("impatient")
def test_where_no_reaper_lives_the_next_who_undoes_leftovers_ends_a_toolkit_that_hangs(run: Session) -> None:
    undo.inject(run, config.setting(run.home, "replica_reads", 0))
    with hanging(run.home, run.run_id) as toolkit:
        lease.release(run.home.chaos)
        assert [undone.error for undone in undo.replay_leftovers(run.home, by="up")] == [""]
        assert toolkit.wait(5) == -signal.SIGKILL
    assert deciders.read(run.home.deciders_file)["replica_reads"] == deciders.ON


@pytest.mark.timeout(30)
@pytest.mark.usefixtures("impatient")
def test_a_drill_ends_its_own_toolkit_that_hangs_before_it_undoes(home: Home) -> None:
    run = Run(Wish("kill-tweet-shard"), home, say=lambda _: None, draw=lambda _run: None)
    run.holder = Holder(home.chaos, run.run_id).hold()
    undo.inject(Session(home, run.run_id), config.setting(home, "replica_reads", 0))
    with hanging(home, run.run_id) as toolkit:
        drill._put_back(run)
        assert toolkit.wait(5) == -signal.SIGKILL
    run.holder.release()
    assert undo.pending(home) == []


def test_where_nobody_hangs_faults_are_taken_back_before_processes_are_ended(run: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    did: list[str] = []

    def told(name: str) -> Callable[..., list[Any]]:
        def do(*_: Any, **__: Any) -> list[Any]:
            did.append(name)
            return []

        return do

    abandon(run)
    monkeypatch.setattr(undo, "replay", told("undo"))
    monkeypatch.setattr(processes, "end", told("end"))
    assert reaper.reap(run.home, lease.read(run.home.chaos))
    assert did == ["undo", "end"]
