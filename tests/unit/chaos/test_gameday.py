"""What a game day's file means: which drills, which twins, in which order, on which lab, for how long."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from chaos import catalogue, gameday
from chaos.catalogue import Extension
from chaos.gameday import InvalidGameDayError

CI_MINUTES, LIBRARY_MINUTES = 20, 180
Write = Callable[[str], Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def written(text: str) -> Path:
        path = tmp_path / "day.yaml"
        path.write_text(f"title: A day\n{text}")
        return path

    return written


@pytest.fixture(scope="module")
def library() -> dict[str, Extension]:
    """Three drills of small labs and one that needs an edge."""
    plain = catalogue.load("kill-tweet-shard").extension
    edge = catalogue.load("kill-gateway").extension
    return {"a": plain, "b": replace(plain, expected_verdict="deviated"), "c": replace(plain, phases={"fault": 60}), "edge": edge}


def order(write: Write, library: dict[str, Extension], text: str, *, seed: int = 1, first: str = "small") -> list[str]:
    day = gameday.read(write(text))
    chosen = {name: library[name] for name in gameday.names(day, list(library))}
    return [task.title for task in gameday.tasks(day, chosen, seed=seed, first=first)]


def test_all_is_every_drill_once_also_when_one_is_named_as_well(write: Write, library: dict[str, Extension]) -> None:
    assert sorted(order(write, library, "entries: [all, a]")) == ["a", "b", "c", "edge"]


def test_the_order_follows_from_the_seed(write: Write, library: dict[str, Extension]) -> None:
    orders = {tuple(order(write, library, "entries: [all]", seed=seed)) for seed in range(20)}
    assert len(orders) > 1
    assert order(write, library, "entries: [all]", seed=7) == order(write, library, "entries: [all]", seed=7)


def test_drills_of_one_topology_run_together_and_those_of_the_present_lab_first(write: Write, library: dict[str, Extension]) -> None:
    day = gameday.read(write("entries: [all]"))
    for seed in range(5):
        labs = [task.topology for task in gameday.tasks(day, library, seed=seed, first="small")]
        assert [topology for topology, _ in itertools.groupby(labs)] == ["small", "standard"]
        assert {task.topology for task in gameday.tasks(day, library, seed=seed, first="standard")} == {"standard"}


def test_a_share_of_the_drills_gets_a_twin_that_runs_right_before_it_with_the_same_lengths(
    write: Write, library: dict[str, Extension]
) -> None:
    day = gameday.read(write("entries: [all]\nsham_share: 0.5\nphases: {decay: 5}"))
    for seed in range(5):
        tasks = gameday.tasks(day, library, seed=seed, first="small")
        twins = [pair for pair in itertools.pairwise(tasks) if pair[0].sham]
        assert len(twins) == 2
        assert all((sham.drill, sham.phases) == (drill.drill, drill.phases) and not drill.sham for sham, drill in twins)


def test_a_sham_twin_is_expected_to_pass_whatever_its_drill_does(write: Write, library: dict[str, Extension]) -> None:
    day = gameday.read(write("entries: [b, {drill: b, sham: true}]"))
    tasks = gameday.tasks(day, library, seed=1, first="small")
    assert {(task.sham, task.expected_verdict) for task in tasks} == {(False, "deviated"), (True, "passed")}


def test_lengths_of_the_day_give_way_to_those_that_a_drill_needs_and_these_to_those_of_the_entry(
    write: Write, library: dict[str, Extension]
) -> None:
    day = gameday.read(write("entries: [all, {drill: b, phases: {fault: 10}}]\nphases: {fault: 20, decay: 5}"))
    expected = {"a": {"fault": 20, "decay": 5}, "b": {"fault": 10, "decay": 5}, "c": {"decay": 5}}
    small = {name: library[name] for name in expected}
    for seed in range(5):
        first, *others = gameday.tasks(day, small, seed=seed, first="small")
        assert {task.drill: task.phases for task in others} == {task.drill: expected[task.drill] for task in others}
        assert "decay" not in first.phases, "burn alerts need a minute of history on a lab that is new"


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("entries: []", "no entries"),
        ("entries: [all]\nsham_share: 2", "share of the drills"),
        ("entries: [all]\nphases: {lunch: 60}", "unknown phases"),
        ("entries: [all]\nlenth: 3", "unknown: lenth"),
        ("entries: [a, b, a]", "lists a more than once"),
        ("entries: [all]\nrepeats: -1", "repeats are 0 or more"),
        ("entries: [all]\nsettle_s: -5", "settle_s and repeats"),
        ("entries: [all]\nlimit_min: 0", "limit_min is above 0"),
        ("entries: [{drill: a, shm: true}]", "unknown in an entry: shm"),
        ("entries: all", "no game day"),
        ("entries: [a", "no game day"),
        ("entries:\n- a\n-", "no game day"),
        ("entries: [[a]]", "no game day"),
        ("settle_s: soon\nentries: [a]", "no game day"),
    ],
)
def test_a_file_that_is_wrong_is_refused_with_what_is_wrong(write: Write, text: str, wrong: str) -> None:
    with pytest.raises(InvalidGameDayError, match=wrong):
        gameday.read(write(text))


def test_a_drill_that_there_is_not_and_one_without_a_lab_are_refused(write: Write, library: dict[str, Extension]) -> None:
    with pytest.raises(InvalidGameDayError, match="no experiment 'lunch'; there are a, b"):
        order(write, library, "entries: [lunch]")
    homeless = {"a": replace(library["a"], requires=("warp-core",))}
    with pytest.raises(InvalidGameDayError, match="warp-core"):
        order(write, homeless, "entries: [all]")


@pytest.fixture(scope="module")
def known() -> dict[str, Extension]:
    return {name: catalogue.load(name).extension for name in catalogue.names()}


@pytest.mark.parametrize(("file", "minutes"), [("ci", CI_MINUTES), ("library", LIBRARY_MINUTES), ("first", CI_MINUTES)])
def test_the_days_there_are_can_be_run_and_are_over_in_time(known: dict[str, Extension], file: str, minutes: int) -> None:
    day = gameday.read(gameday.DIRECTORY / f"{file}.yaml")
    tasks = gameday.tasks(day, {name: known[name] for name in gameday.names(day, list(known))}, seed=1, first="small")
    assert gameday.seconds(tasks) <= 60 * minutes
    assert any(task.sham for task in tasks)
    assert file != "ci" or len(tasks) == 6
    assert file != "library" or {task.drill for task in tasks} == set(known)
