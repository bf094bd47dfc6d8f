"""What a drill refuses before it touches the lab, and in which order it works."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from chaos import catalogue, halt, processes
from failwhale import drill
from failwhale.planning import DrillError
from failwhale.run import Run, Wish
from reference_app.kit.home import Home

DRILL = "kill-tweet-shard"


def perform(tmp_path: Path, wish: Wish) -> list[str]:
    """Names of the steps that were begun."""
    said: list[str] = []
    run = Run(wish, Home(tmp_path), say=said.append, draw=lambda _run: None)
    with pytest.raises((DrillError, catalogue.UnknownExperimentError, ValueError)) as raised:
        drill.perform(run, hold_interrupts=lambda: None)
    return [*said, str(raised.value)]


def test_a_recovery_phase_in_which_no_recovery_can_be_seen_is_refused(tmp_path: Path) -> None:
    *steps, message = perform(tmp_path, Wish(DRILL, phases={"after": 10}))
    assert len(steps) == 1
    assert "tweet_cache_ttl 10 s" in message


def test_a_halted_lab_is_refused_with_the_reason_and_the_way_out(tmp_path: Path) -> None:
    halt.pull(Home(tmp_path).chaos, "maintenance", now=time.time())
    message = perform(tmp_path, Wish(DRILL))[-1]
    assert "maintenance" in message
    assert "failwhale chaos resume" in message


@pytest.mark.parametrize(("wish", "named"), [(Wish("no-such-drill"), "kill-tweet-shard"), (Wish(DRILL, phases={"lunch": 1}), "warmup")])
def test_an_unknown_name_is_answered_with_those_there_are(tmp_path: Path, wish: Wish, named: str) -> None:
    assert named in perform(tmp_path, wish)[-1]


def test_a_drill_that_the_lab_is_not_made_for_is_skipped_before_anything_starts(tmp_path: Path) -> None:
    said: list[str] = []
    run = Run(Wish("kill-gateway"), Home(tmp_path), say=said.append, draw=lambda _run: None)
    result = drill.perform(run, hold_interrupts=lambda: None)
    assert (result.verdict, result.topology, result.load, result.faults) == ("skipped", "small", None, [])
    assert "failwhale up --topology standard" in result.reasons[0]
    assert len(said) == 2
    assert not (tmp_path / "lab.json").exists()


def test_a_refused_drill_leaves_nothing_behind(tmp_path: Path) -> None:
    perform(tmp_path, Wish("no-such-drill"))
    assert not (tmp_path / "runs").exists()
    assert not (tmp_path / "lab.json").exists()


def test_the_plan_is_written_before_load_and_faults_start_and_the_lease_before_both() -> None:
    names = [step.name for step in drill.ACT]
    order = [
        names.index(n) for n in ("taking the lease", "writing the plan", "setting deciders", "starting the load", "starting the experiment")
    ]
    assert order == sorted(order)


def test_a_drill_that_was_refused_leaves_the_run_that_holds_the_lab_its_registered_processes(tmp_path: Path) -> None:
    chaos = Home(tmp_path).chaos
    processes.register(chaos, "another-run", pid=os.getpid(), role="load")
    perform(tmp_path, Wish("no-such-drill"))
    assert [process.role for process in processes.registered(chaos)] == ["load"]
