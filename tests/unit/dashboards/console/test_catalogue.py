"""The catalogue on the Drills page, and what it says before anything is broken."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

import msgspec
import pytest
from streamlit.testing.v1 import AppTest

from chaos import catalogue, halt
from chaos.outlook import Outlook
from dashboards.console import library, outlook
from dashboards.console.draw import units
from dashboards.console.library import Entry, Filter
from dashboards.console.outlook import NoOutlookError
from dashboards.console.spawn import Answer, Spawner
from reference_app.kit.home import Home
from tests.unit.dashboards.console.canned import Canned
from tests.unit.dashboards.console.conftest import Open

VIEW = "Catalogue"
TOLD: dict[str, Any] = {
    "drill": "kill-tweet-shard", "title": "A tweet shard loses its primary", "topology": "small", "possible": True, "reasons": [], "remarks": ["the lab is not up: the drill would start it"],
    "sham": False, "expected_verdict": "passed", "targets": {"tweets-db-0-primary": ["tweets-db-0-primary"]},
    "blast_radius": {"predicted": 0.12, "owned": 0.5, "targets": [{"component": "tweets-db-0-primary", "of": "keys", "share": 0.5}]},
    "faults": [{"step": "kill it", "kind": "kill_and_hold", "components": ["tweets-db-0-primary"], "engine": "signals", "undo": {}}],
    "deciders": {"replica_reads": 0}, "preset": "goal", "load": 0.5,
    "phases": [{"name": "fault", "start": 70.0, "end": 110.0, "reads_per_s": 120.0, "posts_per_s": 12.0}],
    "expected_alerts": [{"name": "ComponentDown", "severity": "ticket", "component": "tweets-db-0-primary", "slo": None}],
    "tolerated_alerts": [], "hypothesis": {"goodput_ratio": 0.9, "completeness": 0.95, "post_acknowledgement": 0.99},
    "safety": {"longest_fault_s": 60},
}  # fmt: skip


@pytest.fixture(scope="module")
def entries() -> list[Entry]:
    return library.entries({name: catalogue.load(name) for name in catalogue.names()}, [])


@pytest.fixture
def dry_run(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, ...]]:
    """Commands that were run; each tells the same, for a shorter time than the real one."""
    asked: list[tuple[str, ...]] = []

    def run(_: Spawner, *arguments: str) -> Answer:
        asked.append(arguments)
        return Answer(ok=True, text="", printed=msgspec.json.encode(TOLD | {"sham": "--sham" in arguments}).decode())

    monkeypatch.setattr(Spawner, "run", run)
    return asked


def names(entries: list[Entry], wanted: Filter) -> set[str]:
    return {entry.experiment.name for entry in entries if wanted.takes(entry)}


def test_every_drill_is_listed_with_the_labs_that_can_run_it(entries: list[Entry]) -> None:
    rows = {row["drill"]: row for row in map(library.row, entries)}
    assert set(rows) == set(catalogue.names())
    assert rows["kill-tweet-shard"]["topology"] == "any"
    assert rows["kill-gateway"]["topology"] == "standard"
    assert rows["kill-tweet-shard"]["last run"] == library.NEVER


def test_a_filter_takes_what_fits_all_of_it(entries: list[Entry]) -> None:
    assert "kill-tweet-shard" in names(entries, Filter(words="PRIMARY shard"))
    assert names(entries, Filter(words="no such words")) == set()
    killed = names(entries, Filter(faults=("kill_and_hold",), components=("tweets-db",)))
    assert "kill-tweet-shard" in killed
    assert "pause-tweet-primary" not in killed
    assert "kill-gateway" not in names(entries, Filter(topologies=("small",)))
    assert all(
        catalogue.load(name).extension.incident or catalogue.load(name).extension.source
        for name in names(entries, Filter(reenactments=True))
    )
    assert names(entries, Filter()) == set(catalogue.names())


@pytest.mark.parametrize(
    ("target", "group"), [("tweets-db-0-primary", "tweets-db"), ("tweet-cache-1", "tweet-cache"), ("users-0", "users")]
)
def test_a_target_belongs_to_the_group_with_the_longest_name(target: str, group: str) -> None:
    assert library.group(target) == group


def test_an_outlook_says_what_would_be_done_to_whom(empty_home: Home, dry_run: list[tuple[str, ...]]) -> None:
    ahead = outlook.of(Spawner(empty_home), "kill-tweet-shard", sham=False)
    assert outlook.headline(ahead) == {
        "Predicted verdict": "passed", "Pages harmed": "12 %", "Owned by the targets": "50 %", "Fault in force": "40 s",
        "Load in the fault": "120/s reads, 12/s posts",
    }  # fmt: skip
    told = " ".join(outlook.sentences(ahead))
    assert "It does `kill_and_hold` to `tweets-db-0-primary`" in told
    assert "owns 50 % of the keys" in told
    assert "`replica_reads` = 0" in told
    assert "`ComponentDown` (tweets-db-0-primary)" in told
    assert dry_run == [("drill", "kill-tweet-shard", "--dry-run", "--json")]


def test_a_sham_goes_through_the_motions(empty_home: Home, dry_run: list[tuple[str, ...]]) -> None:
    ahead = outlook.of(Spawner(empty_home), "kill-tweet-shard", sham=True)
    assert "goes through the motions of `kill_and_hold`" in " ".join(outlook.sentences(ahead))
    assert dry_run[0][-1] == "--sham"


def test_a_dry_run_that_fails_gives_its_complaint(empty_home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Spawner, "run", lambda *_: Answer(ok=False, text="there is no experiment"))
    with pytest.raises(NoOutlookError, match="there is no experiment"):
        outlook.of(Spawner(empty_home), "nonsense", sham=False)


@pytest.mark.usefixtures("dry_run", "prometheus")
def test_a_drill_starts_only_after_its_blast_radius_was_shown(opened: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[tuple[str, bool]] = []
    monkeypatch.setattr(Spawner, "start_drill", lambda _, name, *, now, sham: started.append((name, sham)) if now else None)
    page = opened("drills", view=VIEW, drill="kill-tweet-shard")
    assert "start" not in buttons(page.app)
    page.app.button(key="look").click()
    page.run()
    page.app.run()
    assert page.metrics["Owned by the targets"] == "50 %"
    page.app.button(key="start").click()
    page.run()
    assert started == [("kill-tweet-shard", False)]


@pytest.mark.usefixtures("dry_run", "prometheus")
def test_while_chaos_is_halted_nothing_can_be_started(empty_home: Home, opened: Open) -> None:
    halt.pull(empty_home.chaos, "too many cooks", now=time.time())
    page = opened("drills", view=VIEW, drill="kill-tweet-shard")
    page.app.button(key="look").click()
    page.run()
    page.app.run()
    assert page.app.button(key="start").disabled


def test_a_drill_for_another_topology_says_why_it_cannot_be_run(prometheus: Canned, opened: Open) -> None:
    assert prometheus
    page = opened("drills", view=VIEW, drill="kill-gateway")
    assert "kill-gateway needs" in page.told
    assert page.app.button(key="look").disabled


def test_the_last_run_of_a_drill_is_linked(run_id: str, opened: Open) -> None:
    page = opened("drills", view=VIEW, drill=run_id.partition("-")[2])
    assert any(f"/drills?run={run_id}" in block.value for block in page.app.markdown)


def test_reasons_against_a_run_forbid_it() -> None:
    ahead = msgspec.convert(TOLD | {"possible": False, "reasons": ["run x holds the lab"]}, Outlook)
    assert not ahead.possible
    assert replace(ahead, phases=()).phases == ()
    assert outlook.headline(replace(ahead, phases=()))["Fault in force"] == units.NONE


def buttons(app: AppTest) -> set[str | None]:
    return {button.key for button in app.button}
