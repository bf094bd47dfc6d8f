"""What Chaos Toolkit does with our functions: what it lists, what it would run without executing, what would crash it."""

from __future__ import annotations

import importlib
import inspect
import math
import time
from types import ModuleType

import pytest
from chaoslib.exceptions import ActivityFailed
from chaoslib.hypothesis import within_tolerance

from chaos import actions, discovery, events, halt, probes, undo
from chaos.actions import clock, deciders, faults
from chaos.faults import config
from chaos.probes import pages
from chaos.session import Session
from reference_app.contract.plan import FILE, Plan, phases
from reference_app.contract.seed import Seed
from reference_app.contract.topology import SMALL, Lab, components
from reference_app.kit import deciders as stored
from reference_app.kit import files
from reference_app.kit.home import Home

MODULES = (*discovery.modules(actions), *discovery.modules(probes))


def coroutines(module: ModuleType) -> list[str]:
    return [name for name in module.__all__ if inspect.iscoroutinefunction(getattr(module, name))]


@pytest.mark.parametrize("name", MODULES)
def test_activities_are_plain_functions_that_say_what_they_return(name: str) -> None:
    module = importlib.import_module(name)
    assert module.__all__
    assert coroutines(module) == []
    assert all(inspect.signature(getattr(module, function)).return_annotation for function in module.__all__)


def test_a_planted_coroutine_is_found() -> None:
    async def injected() -> None: ...

    module = ModuleType("planted")
    module.__all__ = ["injected"]  # type: ignore[attr-defined]
    module.injected = injected  # type: ignore[attr-defined]
    assert coroutines(module) == ["injected"]


def plan_into(run: Session, *, inject: bool = True, inject_at: float = 0.0, undo_at: float = 0.0) -> None:
    plan = Plan(run.run_id, "d", 1, "small", "goal", time.time(), phases(), inject, inject_at, undo_at, "passed")
    files.write_json(run.run_dir / FILE, plan)


@pytest.mark.usefixtures("run")
def test_without_a_plan_injection_is_now() -> None:
    assert "no plan" in clock.wait_until_injection()


def test_a_moment_that_passed_is_not_waited_for(run: Session) -> None:
    plan_into(run, inject_at=-1)
    assert clock.wait_until_injection() == "load second -1"


def test_a_plan_of_another_day_is_refused_instead_of_waited_for(run: Session) -> None:
    plan_into(run, inject_at=86_400)
    with pytest.raises(ActivityFailed, match="its t0 is wrong"):
        clock.wait_until_injection()


def test_a_halt_ends_the_wait_for_the_injection(run: Session) -> None:
    plan_into(run, inject_at=60)
    halt.pull(run.home.chaos, "real incident", now=time.time())
    with pytest.raises(ActivityFailed, match="real incident"):
        clock.wait_until_injection()


def test_a_halt_ends_the_hold_and_is_recorded(run: Session) -> None:
    plan_into(run, undo_at=60)
    halt.pull(run.home.chaos, "real incident", now=time.time())
    assert "real incident" in clock.hold_fault()
    assert [event.event for event in events.read(run.run_dir)] == ["halted"]


@pytest.mark.usefixtures("run")
def test_nothing_is_held_when_nothing_was_injected() -> None:
    started = time.monotonic()
    clock.hold_fault(seconds=60)
    assert time.monotonic() - started < 5


@pytest.mark.parametrize("value", [False, "false", "0"])
def test_a_rehearsal_leaves_the_component_alone(run: Session, value: object) -> None:
    assert "left alone" in faults.kill_and_hold("tweets-db-0-primary", configuration={"inject": value})
    recorded = events.read(run.run_dir)
    assert [(event.event, event.components) for event in recorded] == [("inject_skipped", ("tweets-db-0-primary",))]


def test_the_plan_too_can_ask_for_a_rehearsal(run: Session) -> None:
    plan_into(run, inject=False)
    assert "left alone" in faults.kill_and_hold("tweets-db-0-primary", configuration={"inject": True})


@pytest.mark.parametrize(("inject_at", "undo_at"), [(60.0, 100.0), (-40.0, -1.0)])
def test_a_fault_is_refused_outside_of_its_time_because_the_wait_before_it_may_have_been_cut_short(
    run: Session, inject_at: float, undo_at: float
) -> None:
    plan_into(run, inject_at=inject_at, undo_at=undo_at)
    with pytest.raises(ActivityFailed, match="outside of the fault's time"):
        faults.kill_and_hold("tweets-db-0-primary")
    assert undo.pending(run.home) == []


def test_a_decider_is_set_and_goes_back_by_the_rollback(run: Session) -> None:
    deciders.set_decider("replica_reads", 0)
    assert stored.read(run.home.deciders_file)["replica_reads"] == 0
    assert faults.undo_all() == ["set_decider"]
    assert stored.read(run.home.deciders_file)["replica_reads"] == stored.ON


@pytest.mark.usefixtures("run")
def test_a_decider_that_does_not_exist_fails_the_action() -> None:
    with pytest.raises(ActivityFailed, match="no decider 'nonsense'"):
        deciders.set_decider("nonsense", 0)


def test_the_rollback_of_a_vetoed_run_does_not_undo_the_fault_of_the_run_that_holds_the_lab(
    run: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    undo.inject(run, config.setting(run.home, "replica_reads", 0))
    monkeypatch.setattr("os.getpid", lambda: 1)
    assert faults.undo_all() == []
    assert len(undo.pending(run.home)) == 1


def test_a_rollback_that_fails_says_so(run: Session) -> None:
    with pytest.raises(ValueError, match="no decider"):
        undo.inject(run, config.SetDecider(name="gone", value=0, former=1))
    with pytest.raises(ActivityFailed, match="not undone: set_decider"):
        faults.undo_all()


def test_the_share_of_complete_pages_is_a_finite_number_when_the_lab_is_down(home: Home) -> None:
    files.write_json(home.lab_file, Lab(str(home.path), "small", 29_900, components(SMALL, 29_900), "key", "password"))
    for count in (0, 3):
        share = pages.complete_page_share(count)
        assert math.isfinite(share)
        assert share == 0.0
        assert within_tolerance({"type": "range", "range": [0.95, 1.0]}, share) is False


def test_pages_that_a_probe_reads_in_a_run_are_recorded_for_those_who_count(run: Session) -> None:
    files.write_json(run.home.lab_file, Lab(str(run.home.path), "small", 29_900, components(SMALL, 29_900), "key", "password"))
    files.write_json(run.home.seed_file, Seed(50, 9, "test", True, 3, 0.0))
    pages.complete_page_share(3)
    recorded = events.first(events.read(run.run_dir), "pages_read")
    assert recorded is not None
    assert (recorded.detail["asked"], recorded.detail["answered"]) == (3, 0)
    assert recorded.detail["began"] <= recorded.at


def lab_of(run: Session) -> Lab:
    lab = Lab(str(run.home.path), "small", 29_900, components(SMALL, 29_900), "key", "password")
    files.write_json(run.home.lab_file, lab)
    return lab


def left_alone(run: Session) -> list[tuple[str, ...]]:
    return [event.components for event in events.read(run.run_dir) if event.event == "inject_skipped"]


def test_a_fault_of_a_group_is_one_of_each_of_its_components(run: Session) -> None:
    lab_of(run)
    faults.pause("all:timeline-cache", configuration={"inject": False})
    assert left_alone(run) == [("timeline-cache-0",), ("timeline-cache-1",)]


def test_groups_in_lists_are_one_fault_of_all_they_mean(run: Session) -> None:
    lab_of(run)
    faults.partition(["tweets-0"], ["primaries:tweets-db", "events-0"], configuration={"inject": False})
    assert left_alone(run) == [("tweets-db-0-primary", "tweets-db-1-primary", "events-0")]


def test_what_an_expression_means_is_what_the_plan_recorded_whatever_the_lab_says_now(run: Session) -> None:
    lab_of(run)
    plan = Plan(
        run.run_id, "d", 1, "small", "goal", time.time(), phases(), False, 0.0, 60.0, "passed", targets={"one:redis": ("tweet-cache-0",)}
    )
    files.write_json(run.run_dir / FILE, plan)
    faults.pause("one:redis")
    assert left_alone(run) == [("tweet-cache-0",)]


def test_without_a_plan_the_same_is_drawn_each_time(run: Session) -> None:
    lab_of(run)
    for _ in range(3):
        faults.pause("one:redis", configuration={"inject": False})
    assert len(set(left_alone(run))) == 1


def test_a_target_that_means_nobody_fails_the_action(run: Session) -> None:
    lab_of(run)
    with pytest.raises(ActivityFailed, match=r"no group 'caches'; its groups are users-db"):
        faults.pause("all:caches")
