"""A drill that cannot be done here is skipped before anything starts."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pytest

from chaos import catalogue
from failwhale import drill, planning
from failwhale.run import Run, Wish
from loadgen import plans
from reference_app.contract.plan import phases
from reference_app.contract.topology import SMALL, Lab, components
from reference_app.kit import files
from reference_app.kit.home import Home
from tests.unprivileged import as_nobody

NEEDS_NFT = "slow-timeline-cache"


def performed(home: Path, wish: Wish) -> str:
    """Verdict, reasons and the steps that were begun."""
    steps: list[str] = []
    result = drill.perform(Run(wish, Home(home), say=steps.append, draw=lambda _run: None), hold_interrupts=lambda: None)
    return f"{result.verdict}; {'; '.join(result.reasons)}; {len(steps)} steps; {result.load}"


def test_without_root_a_drill_that_needs_it_is_skipped_with_the_reason_before_the_lab_starts() -> None:
    with tempfile.TemporaryDirectory() as home:
        os.chmod(home, 0o777)  # noqa: PTH101, S103 - for a process that has dropped root
        told = as_nobody(lambda: performed(Path(home), Wish(NEEDS_NFT)))
        assert not (Path(home) / "lab.json").exists()
    assert told.startswith(f"skipped; {NEEDS_NFT} is not possible on this machine: latency is not possible here: ")
    assert told.endswith("; 2 steps; None")


def test_no_drill_begins_while_a_load_runs(tmp_path: Path) -> None:
    home = Home(tmp_path)
    files.write_json(home.lab_file, Lab(str(tmp_path), "small", 1, components(SMALL, 1), "", ""))
    planning.require_free(home, now=1000.0)
    run_dir = plans.create(home, preset="goal", seed=1, now=1000.0, phases=phases())
    with pytest.raises(planning.DrillError, match=f"load {run_dir.name} runs, for up to 169 s more: one at a time"):
        planning.require_free(home, now=1001.0)


def test_a_run_in_which_nothing_is_injected_needs_nothing() -> None:
    experiment = catalogue.load(NEEDS_NFT)
    told = as_nobody(lambda: planning.check_lab(Home(Path("/nowhere")), Wish(NEEDS_NFT, inject=False), experiment))
    assert "Spoil" in told


def test_lengths_of_the_experiment_are_obeyed_and_what_was_asked_for_goes_before(tmp_path: Path) -> None:
    lab = Lab(str(tmp_path), "small", 1, components(SMALL, 1), "", "")
    wanted = catalogue.extension_of(catalogue.load("kill-tweet-shard").document)
    experiment = catalogue.load("kill-tweet-shard")
    longer = planning.phases(Wish("kill-tweet-shard", phases={"fault": 20}), wanted)
    assert next(p.end - p.start for p in longer if p.name == "fault") == 20
    plan = planning.plan(Home(tmp_path), lab, Wish("kill-tweet-shard", sham=True), experiment, run_id="r", now=100.0)
    assert (plan.sham, plan.expected_verdict, plan.t0) == (True, "passed", 106.0)


@pytest.mark.parametrize(
    ("inject", "sham", "expected"), [(True, False, "deviated"), (True, True, "passed"), (False, False, "not-injected")]
)
def test_what_is_expected_depends_on_what_is_done(tmp_path: Path, inject: bool, sham: bool, expected: str) -> None:  # noqa: FBT001
    lab = Lab(str(tmp_path), "small", 1, components(SMALL, 1), "", "")
    name = "kill-tweet-shard-no-replica-reads"
    plan = planning.plan(Home(tmp_path), lab, Wish(name, inject=inject, sham=sham), catalogue.load(name), run_id="r", now=0.0)
    assert plan.expected_verdict == expected


TOO_LONG, TOO_SHORT = {"fault": 90.0}, {"after": 30.0}


@pytest.mark.parametrize(
    ("wish", "why"),
    [
        (Wish("kill-tweet-shard", phases=TOO_LONG), "the fault would last 90 s, the experiment allows "),
        (Wish("retry-storm", phases=TOO_SHORT), "a phase `after` of 30 s leaves nothing to judge"),
        (Wish("kill-tweet-shard", phases={"decay": -1.0}), "decay=-1"),
        (Wish("kill-tweet-shard", phases={"decay": float("nan")}), "decay=nan"),
    ],
)
def test_lengths_with_which_a_whole_drill_would_say_nothing_are_refused_before(tmp_path: Path, wish: Wish, why: str) -> None:
    with pytest.raises((planning.DrillError, ValueError), match=why):
        planning.checked(Home(tmp_path), wish)


def test_who_is_not_judged_long_after_the_fault_needs_no_time_for_it(tmp_path: Path) -> None:
    assert planning.checked(Home(tmp_path), Wish("retry-storm", phases=TOO_SHORT, sham=True))
