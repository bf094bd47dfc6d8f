from __future__ import annotations

import pytest

from chaos import events, switches, undo
from chaos.actions import deciders as actions
from chaos.actions import faults
from chaos.faults.base import NotApplicableError
from chaos.session import Session
from reference_app.kit import deciders


def value(run: Session, name: str) -> int:
    return deciders.read(run.home.deciders_file)[name]


def test_what_is_set_for_the_whole_run_outlives_the_rollback_of_the_fault(run: Session) -> None:
    switches.set_for_the_run(run, {"retries": 1, "replica_reads": 0})
    actions.set_decider("tweet_cache", 0)
    assert faults.undo_all() == ["set_decider"]
    assert (value(run, "retries"), value(run, "replica_reads"), value(run, "tweet_cache")) == (1, 0, deciders.ON)


def test_a_run_that_is_killed_leaves_nothing_set(run: Session) -> None:
    deciders.write(run.home, "retries", 0, by="test")
    switches.set_for_the_run(run, {"retries": 1})
    assert [record.fault.former for record in undo.pending(run.home)] == [0]  # type: ignore[union-attr]
    undo.replay(run.home, by="reaper")
    assert value(run, "retries") == 0


@pytest.mark.parametrize("wanted", [{"nonsense": 1}, {"retries": 10_001}])
def test_what_cannot_be_set_is_refused(run: Session, wanted: dict[str, int]) -> None:
    with pytest.raises(NotApplicableError):
        switches.set_for_the_run(run, wanted)


def test_settings_are_recorded_and_are_no_faults(run: Session) -> None:
    switches.set_for_the_run(run, {"retries": 1})
    undo.replay(run.home, by="drill")
    assert [event.event for event in events.read(run.run_dir)] == ["undo_written", "decider_set", "undone"]
