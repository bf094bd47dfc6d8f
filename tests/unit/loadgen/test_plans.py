from __future__ import annotations

import pytest

from loadgen import plans
from loadgen.model import presets
from reference_app.contract import topology
from reference_app.contract.plan import phases
from reference_app.kit import files
from reference_app.kit.home import Home, NoLabError

NOW = 1_790_000_000.0


@pytest.fixture
def home(tmp_path):
    lab = topology.Lab(str(tmp_path), "small", 23900, topology.components(topology.SMALL, 23900), "key", "password")
    files.write_json(tmp_path / "lab.json", lab)
    return Home(tmp_path)


def test_a_load_without_a_drill_gets_a_plan_without_a_fault(home):
    run_dir = plans.create(home, preset="goal", seed=3, now=NOW, phases=phases(), lead_s=4)
    plan = plans.read(run_dir)
    assert run_dir == home.runs / "20260921T141320Z-load-goal"
    assert (plan.run_id, plan.seed, plan.t0, plan.inject, plan.topology) == (run_dir.name, 3, NOW + 4, False, "small")
    assert (plan.inject_at, plan.undo_at, plan.duration) == (70, 110, 160)


def test_a_run_directory_is_never_used_twice(home):
    plans.create(home, preset="goal", seed=3, now=NOW, phases=phases())
    with pytest.raises(plans.RunExistsError, match="exists already"):
        plans.create(home, preset="goal", seed=3, now=NOW, phases=phases())


def test_an_unknown_preset_leaves_no_directory(home):
    with pytest.raises(presets.UnknownPresetError):
        plans.create(home, preset="nope", seed=3, now=NOW, phases=phases())
    assert not home.runs.exists()


def test_the_plan_of_a_replay_names_its_file_in_full_and_the_run_directory_in_short(home, monkeypatch):
    (home.path / "series.csv").write_text("unix_time,n\n" + "".join(f"{n},{1 + (n == 500)}\n" for n in range(1000)))
    monkeypatch.chdir(home.path)
    run_dir = plans.create(home, preset="replay:series.csv@2", seed=3, now=NOW, phases=phases())
    assert run_dir.name == "20260921T141320Z-load-replay-series"
    assert plans.read(run_dir).preset == f"replay:{home.path}/series.csv@2"


def test_a_replay_that_does_not_fit_leaves_no_directory(home):
    (home.path / "series.csv").write_text("unix_time,n\n0,1\n1,2\n")
    with pytest.raises(ValueError, match="shorten the phases"):
        plans.create(home, preset=f"replay:{home.path}/series.csv", seed=3, now=NOW, phases=phases())
    assert not home.runs.exists()


def test_without_a_lab_there_is_no_plan(tmp_path):
    with pytest.raises(NoLabError):
        plans.create(Home(tmp_path), preset="goal", seed=3, now=NOW, phases=phases())


def test_phases_are_scaled_and_some_are_fixed():
    laid = {phase.name: phase for phase in plans.scaled(0.5, {"fault": 12})}
    assert laid["baseline"].end - laid["baseline"].start == 17.5
    assert laid["fault"].end - laid["fault"].start == 12


@pytest.mark.parametrize(("factor", "seconds"), [(0, {}), (1, {"fault": -1}), (1, {"lunch": 3})])
def test_lengths_that_make_no_sense_are_refused(factor, seconds):
    with pytest.raises(ValueError, match=r"negative|lunch"):
        plans.scaled(factor, seconds)


def test_lengths_of_phases_are_read_and_what_is_none_is_named():
    assert plans.lengths(["fault=20", "after=1.5"]) == {"fault": 20.0, "after": 1.5}
    with pytest.raises(ValueError, match="'fault' is not NAME=SECONDS"):
        plans.lengths(["after=1", "fault"])
