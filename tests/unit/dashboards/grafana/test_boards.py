from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path

import pytest

from dashboards.grafana import boards, build
from dashboards.grafana.boards import BOARDS
from dashboards.grafana.model import Board
from reference_app.contract import metrics
from reference_app.kit.home import REPOSITORY

by_uid = pytest.mark.parametrize("board", BOARDS, ids=lambda board: board.uid)


def drawn(board: Board) -> list[dict[str, object]]:
    return [panel for panel in build.document(board)["panels"] if panel["type"] != "row"]


def test_every_subject_has_a_dashboard_of_its_own_address() -> None:
    subjects = ("overview", "services", "shards", "caches", "stream", "load", "slo", "drills")
    assert [board.uid for board in BOARDS] == [f"failwhale-{subject}" for subject in subjects]


@by_uid
def test_a_dashboard_is_the_same_each_time_and_draws_every_panel_inside_the_grid(board: Board) -> None:
    assert build.document(board) == build.document(board)
    panels = drawn(board)
    assert [panel["title"] for panel in panels] == [panel.title for panel in board.panels()]
    places = [panel["gridPos"] for panel in panels]
    assert all(place["x"] + place["w"] <= 24 for place in places), places  # type: ignore[index]


@by_uid
def test_every_query_goes_to_the_labs_prometheus_and_faults_of_drills_are_shown(board: Board) -> None:
    sources = {target["datasource"]["uid"] for panel in drawn(board) for target in panel["targets"]}  # type: ignore[attr-defined]
    assert sources == {build.SOURCE_UID}
    (annotation,) = build.document(board)["annotations"]["list"]
    assert annotation["target"]["tags"] == [build.DRILL_TAG]


def test_few_panels_have_nothing_to_draw_in_a_quiet_lab() -> None:
    """What the live test excuses altogether is one of an edge and one of slowness (tests/stack/test_grafana_panels.py)."""
    excused = Counter(panel.empty for board in BOARDS for panel in board.panels() if panel.empty)
    assert excused == {boards.FAULT_ONLY: 7, boards.LOAD_ONLY: 4, boards.EDGE_ONLY: 1, boards.SLOW_ONLY: 1}


@by_uid
def test_no_query_hides_a_series_behind_another_with_the_same_labels(board: Board) -> None:
    """`a or b` of bare names: `or` drops what has the labels of its left side, and the names do not count."""
    assert [query.expr for panel in board.panels() for query in panel.queries if re.search(r"^\w+ or \w+$", query.expr)] == []


def test_what_the_prober_and_the_services_count_is_mostly_drawn_somewhere() -> None:
    drawn_text = json.dumps([build.document(board) for board in BOARDS])
    left_out = {metric.name for metric in metrics.PROBER_METRICS if metric.name not in drawn_text}
    # the hung are in the alerts, questions and look-ups in recorded series, the step and bytes of single disks in tickets
    assert left_out == {
        "component_hung", "component_probe_duration_seconds", "cache_hits_total", "cache_misses_total", "lab_clock_step_seconds",
        "store_disk_free_bytes",
    }  # fmt: skip


def test_committed_dashboards_are_what_would_be_generated_now() -> None:
    assert build.drifted(REPOSITORY) == [], "run `make gen`"


def test_an_edited_and_a_missing_dashboard_are_drift(tmp_path: Path) -> None:
    written = build.write(tmp_path)
    (tmp_path / written[0]).write_text("{}")
    (tmp_path / written[1]).unlink()
    assert build.drifted(tmp_path) == written[:2]
