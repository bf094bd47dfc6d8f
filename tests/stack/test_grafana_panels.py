"""Every query of every Grafana panel, executed against the Prometheus of a lab that is used."""

from __future__ import annotations

import contextlib
import secrets
import time
from collections.abc import Callable
from typing import Any

import pytest

from dashboards.grafana.boards import BOARDS
from dashboards.grafana.model import Panel
from reference_app.contract.topology import Lab
from reference_app.query.prometheus import Prometheus, QueryRefusedError

pytestmark = pytest.mark.lab


def empty(prometheus: Prometheus, panels: list[Panel]) -> list[str]:
    """Panels with a query that found nothing in the last minute. Raises QueryRefusedError for one that is no PromQL."""
    now = time.time()
    return [
        panel.title for panel in panels if not panel.empty for query in panel.queries if not prometheus.range(query.expr, now - 60, now, 2)
    ]


@pytest.fixture
def used(lab: Lab, api: Any) -> Prometheus:
    """Of a lab whose users have just posted and read."""
    author, reader = api.user(), api.user()
    api.follow(reader, author)
    for _ in range(3):
        api.acknowledged(author, secrets.token_hex(8), "drawn in Grafana")
        assert api.home(reader) is not None
    return Prometheus(lab.prometheus_url)


def test_every_panel_has_data_or_says_why_it_may_have_none(used: Prometheus, eventually: Callable[[Callable[[], bool], str], None]) -> None:
    panels = [panel for board in BOARDS for panel in board.panels()]
    missing: list[str] = []

    def drawn() -> bool:
        missing[:] = empty(used, panels)
        return not missing

    with contextlib.suppress(AssertionError):
        eventually(drawn, "data in every panel")
    assert missing == []
    for query in (query for panel in panels for query in panel.queries):
        used.instant(query.expr)


def test_an_empty_panel_and_a_query_that_is_none_are_found(used: Prometheus) -> None:
    panel = BOARDS[0].rows[0].panels[0]
    wrong = Panel("of nothing", panel.unit, (type(panel.queries[0])("no_such_series", ""),))
    assert empty(used, [wrong]) == ["of nothing"]
    with pytest.raises(QueryRefusedError):
        empty(used, [Panel("broken", panel.unit, (type(panel.queries[0])("sum(", ""),))])
