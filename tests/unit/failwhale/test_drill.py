"""What a drill refuses before it touches the lab, and in which order it works."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from chaos import catalogue, events, halt, processes, reaper, undo
from chaos.faults import config
from chaos.session import Session
from failwhale import drill, lifecycle
from failwhale.planning import DrillError
from failwhale.run import Run, Wish
from loadgen import runner
from reference_app.kit import deciders, lease
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


def test_a_lab_that_another_run_holds_is_not_even_started_because_that_would_repair_what_is_broken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[object] = []
    monkeypatch.setattr(lifecycle, "up", lambda *_, **__: started.append(1))
    lease.take(Home(tmp_path).chaos, "run-1", now=time.time())
    *said, message = perform(tmp_path, Wish(DRILL))
    assert (len(said), started) == (2, [])
    assert message.startswith("run run-1 holds this lab")


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


def test_a_drill_that_found_the_lab_held_takes_nothing_from_a_run_that_began_in_the_same_second(tmp_path: Path) -> None:
    home = Home(tmp_path)
    run = Run(Wish(DRILL), home, say=lambda _: None, draw=lambda _run: None)
    lease.take(home.chaos, run.run_id, now=time.time())
    undo.inject(Session(home, run.run_id), config.setting(home, "replica_reads", 0), whole_run=True)
    drill._put_back(run)
    assert deciders.read(home.deciders_file)["replica_reads"] == 0


@pytest.fixture
def leased(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Run]:
    """A run that is about to take the lease of its home; no reaper is started."""
    monkeypatch.setattr(reaper, "ensure", lambda _: 1)
    run = Run(Wish(DRILL), Home(tmp_path), say=lambda _: None, draw=lambda _run: None)
    yield run
    if run.holder is not None:
        run.holder.release()


def test_a_fault_that_an_earlier_run_left_and_nobody_could_undo_is_told_and_keeps_a_drill_from_beginning(leased: Run) -> None:
    said: list[str] = []
    lease.take(leased.home.chaos, "earlier", now=time.time())
    with pytest.raises(ValueError, match="no decider"):
        undo.inject(Session(leased.home, "earlier"), config.SetDecider(name="gone", value=0, former=1))
    lease.release(leased.home.chaos)
    drill._replay(leased.home, said.append)
    assert len(said) == 1
    assert said[0].startswith("could not undo set_decider of run earlier yet: ValueError: no decider")
    with pytest.raises(DrillError, match=r"set_decider of run earlier\. `failwhale chaos undo`"):
        drill._hold_lease(leased)


def test_a_drill_without_a_reaper_is_refused_in_a_sentence(leased: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: Home) -> int:
        raise reaper.ReaperNotRunningError("no reaper within 20 s")

    monkeypatch.setattr(reaper, "ensure", refuse)
    with pytest.raises(DrillError, match="no reaper within 20 s"):
        drill._hold_lease(leased)


def test_a_halt_before_the_deciders_are_set_is_told_in_a_sentence(leased: Run) -> None:
    leased.experiment = catalogue.load("retry-storm")
    drill._hold_lease(leased)
    halt.pull(leased.home.chaos, "maintenance", now=time.time())
    with pytest.raises(DrillError, match="maintenance"):
        drill._set_deciders(leased)


@pytest.mark.parametrize(("code", "goes_on"), [(0, True), (7, False)])
def test_a_load_generator_that_dies_ends_its_drill_with_its_last_words(tmp_path: Path, code: int, *, goes_on: bool) -> None:
    said: list[str] = []
    process = subprocess.Popen([sys.executable, "-c", f"raise SystemExit({code})"])
    process.wait()
    run = Run(Wish(DRILL), Home(tmp_path), say=said.append, draw=lambda _run: None, generator=runner.Generator(process))
    (run.run_dir / runner.LOG).parent.mkdir(parents=True)
    (run.run_dir / runner.LOG).write_text("MemoryError: no room\n")
    with contextlib.nullcontext() if goes_on else pytest.raises(KeyboardInterrupt):
        drill._watch(run)
    told = [event.detail["reason"] for event in events.read(run.run_dir) if event.event == "guard_tripped"]
    assert told == said == ([] if goes_on else ["the generator ended with exit code 7: MemoryError: no room"])
