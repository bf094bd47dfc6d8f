"""Every query of every Grafana panel, executed against the Prometheus of a lab that is used."""

from __future__ import annotations

import contextlib
import secrets
import time
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest

from dashboards.grafana import boards
from dashboards.grafana.boards import BOARDS
from dashboards.grafana.model import Panel
from reference_app.contract import api as contract
from reference_app.contract.topology import Lab
from reference_app.query.prometheus import Prometheus, QueryRefusedError

pytestmark = pytest.mark.lab


PANELS = [panel for board in BOARDS for panel in board.panels()]
ELSEWHERE = {boards.EDGE_ONLY, boards.SLOW_ONLY}
"""Neither a small lab nor the recorded drill, in which a database dies, has such series."""


def empty(prometheus: Prometheus, panels: list[Panel], start: float, end: float) -> list[str]:
    """Panels with a query that found nothing between two moments. Raises QueryRefusedError for one that is no PromQL."""
    return [panel.title for panel in panels for query in panel.queries if not prometheus.range(query.expr, start, end, 2)]


def now_empty(prometheus: Prometheus, panels: list[Panel]) -> list[str]:
    now = time.time()
    return empty(prometheus, panels, now - 60, now)


@pytest.fixture
def used(lab: Lab, api: Any, faulty: None) -> Prometheus:  # noqa: ARG001 - lets a page fail
    """Of a lab whose users have just posted and read; one page failed, and one was there at the second attempt."""
    author, reader = api.user(), api.user()
    api.follow(reader, author)
    for _ in range(3):
        api.acknowledged(author, secrets.token_hex(8), "drawn in Grafana")
        assert api.home(reader) is not None
    for fault, status in (("error", 503), ("nack-once", 200)):
        assert api.call(reader, "GET", contract.HOME, headers={contract.FAULT: f"timelines={fault}"}).status_code == status
    return Prometheus(lab.prometheus_url)


def test_every_panel_has_data_or_says_why_it_may_have_none(used: Prometheus, eventually: Callable[[Callable[[], bool], str], None]) -> None:
    always = [panel for panel in PANELS if not panel.empty]
    missing: list[str] = []

    def drawn() -> bool:
        missing[:] = now_empty(used, always)
        return not missing

    with contextlib.suppress(AssertionError):
        eventually(drawn, "data in every panel")
    assert missing == []
    for query in (query for panel in PANELS for query in panel.queries):
        used.instant(query.expr)


@pytest.mark.drill
@pytest.mark.timeout(750)
def test_what_only_a_load_or_a_fault_draws_has_data_in_a_drill(recorded_drill: Any, lab: Lab) -> None:
    start = datetime.fromisoformat(recorded_drill.result["started_at"]).timestamp()
    panels = [panel for panel in PANELS if panel.empty and panel.empty not in ELSEWHERE]
    assert empty(Prometheus(lab.prometheus_url), panels, start, start + recorded_drill.result["duration_s"]) == []


def test_an_empty_panel_and_a_query_that_is_none_are_found(used: Prometheus) -> None:
    panel = BOARDS[0].rows[0].panels[0]
    wrong = Panel("of nothing", panel.unit, (type(panel.queries[0])("no_such_series", ""),))
    assert now_empty(used, [wrong]) == ["of nothing"]
    with pytest.raises(QueryRefusedError):
        now_empty(used, [Panel("broken", panel.unit, (type(panel.queries[0])("sum(", ""),))])
