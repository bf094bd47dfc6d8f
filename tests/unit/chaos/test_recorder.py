from __future__ import annotations

import time
from typing import Any

import pytest
from chaoslib.exceptions import InterruptExecution

from chaos import catalogue, events, halt, holder, reaper, session, undo
from chaos.controls import recorder
from chaos.faults import config
from chaos.session import Session
from reference_app.contract.plan import FILE, Plan, phases
from reference_app.contract.topology import SMALL, Lab, components
from reference_app.kit import deciders, files, lease
from reference_app.kit.home import Home


@pytest.fixture
def document(home: Home) -> dict[str, Any]:
    files.write_json(home.lab_file, Lab(str(home.path), "small", 29_900, components(SMALL, 29_900), "key", "password"))
    return catalogue.load("kill-tweet-shard").document


@pytest.mark.usefixtures("home")
def test_a_run_without_a_lab_is_vetoed() -> None:
    with pytest.raises(InterruptExecution, match="no lab"):
        recorder.before_experiment_control(context={})


def test_a_run_is_vetoed_while_chaos_is_halted_and_leaves_no_lease(home: Home, document: dict[str, Any]) -> None:
    halt.pull(home.chaos, "real incident", now=time.time())
    with pytest.raises(InterruptExecution, match="real incident"):
        recorder.before_experiment_control(context=document)
    recorder.cleanup_control()
    assert lease.read(home.chaos) is None
    assert holder.of_this_process() is None


def test_a_run_is_vetoed_while_another_holds_the_lab(run: Session, document: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.getpid", lambda: 1)
    with pytest.raises(InterruptExecution, match="run-1"):
        recorder.before_experiment_control(context=document)
    recorder.cleanup_control()
    assert lease.read(run.home.chaos) is not None


def test_under_a_drill_without_a_lease_the_run_is_vetoed_and_the_veto_recorded(
    home: Home, document: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(session.RUN_DIR_VARIABLE, str(home.runs / "run-9"))
    with pytest.raises(InterruptExecution, match="lease"):
        recorder.before_experiment_control(context=document)
    assert [event.event for event in events.read(home.runs / "run-9")] == ["run_vetoed"]


def test_a_plan_that_holds_the_fault_longer_than_is_safe_is_vetoed(
    run: Session, document: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(session.RUN_DIR_VARIABLE, str(run.run_dir))
    plan = Plan(run.run_id, "d", 1, "small", "goal", 0.0, phases({"fault": 90}), True, 70.0, 160.0, "passed")
    files.write_json(run.run_dir / FILE, plan)
    with pytest.raises(InterruptExecution, match="90 s, the experiment allows 60 s"):
        recorder.before_experiment_control(context=document)


def test_an_experiment_that_holds_its_fault_longer_than_is_safe_is_vetoed_without_a_plan_as_well(
    home: Home, document: dict[str, Any]
) -> None:
    (held,) = (activity for activity in document["method"] if activity["provider"]["func"] == "hold_fault")
    held["provider"]["arguments"] = {"seconds": 600}
    with pytest.raises(InterruptExecution, match="600 s, the experiment allows 60 s"):
        recorder.before_experiment_control(context=document)
    recorder.cleanup_control()
    assert lease.read(home.chaos) is None


@pytest.mark.parametrize(
    ("damaged", "said"),
    [
        (False, r"still in force, and could not be undone: set_decider of run earlier\. `failwhale chaos undo`"),
        (True, "something may still be in force: .*earlier-1.json cannot be read"),
    ],
)
def test_a_plain_run_is_vetoed_while_something_is_left_that_could_not_be_undone(
    home: Home, document: dict[str, Any], *, damaged: bool, said: str
) -> None:
    lease.take(home.chaos, "earlier", now=time.time())
    with pytest.raises(ValueError, match="no decider"):
        undo.inject(Session(home, "earlier"), config.SetDecider(name="gone", value=0, former=1))
    lease.release(home.chaos)
    if damaged:
        (home.chaos / "undo" / "earlier-1.json").write_text("{")
    with pytest.raises(InterruptExecution, match=said):
        recorder.before_experiment_control(context=document)
    recorder.cleanup_control()
    assert lease.read(home.chaos) is None


def test_what_a_drill_has_set_itself_does_not_veto_its_run(run: Session, document: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(session.RUN_DIR_VARIABLE, str(run.run_dir))
    monkeypatch.setattr(reaper, "ensure", lambda _: 1)
    files.write_json(run.run_dir / FILE, Plan(run.run_id, "d", 1, "small", "goal", 0.0, phases(), True, 70.0, 110.0, "passed"))
    undo.inject(run, config.setting(run.home, "replica_reads", 0), whole_run=True)
    recorder.before_experiment_control(context=document)
    assert [event.event for event in events.read(run.run_dir)][-1] == "run_started"


def test_the_end_of_a_crashed_run_undoes_what_its_rollbacks_did_not(run: Session) -> None:
    undo.inject(run, config.setting(run.home, "replica_reads", 0))
    recorder.cleanup_control()
    assert deciders.read(run.home.deciders_file)["replica_reads"] == deciders.ON
    assert undo.pending(run.home) == []


def test_hypotheses_are_recorded_as_before_and_after(run: Session) -> None:
    state = {"steady_state_met": True, "probes": [{"activity": {"name": "share"}, "output": 1.0}]}
    recorder.after_hypothesis_control(context={"title": "t"}, state=state)
    recorder.after_hypothesis_control(context={"title": "t"}, state=state | {"steady_state_met": False})
    recorder.after_experiment_control(context={}, state={"status": "completed", "deviated": True})
    found = events.read(run.run_dir)
    assert [(event.detail.get("phase"), event.detail.get("met")) for event in found[:2]] == [("before", True), ("after", False)]
    assert found[0].detail["probes"] == {"share": 1.0}
    assert found[2].detail == {"status": "completed", "deviated": True}
