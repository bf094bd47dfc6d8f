from __future__ import annotations

import os
import subprocess
import sys

import pytest

from chaos import events, reaper, undo
from chaos.faults import config
from chaos.session import Session
from reference_app.kit import deciders, files, lease
from reference_app.kit.home import Home
from reference_app.kit.lease import Lease


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
