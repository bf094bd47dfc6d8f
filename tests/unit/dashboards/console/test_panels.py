"""Rows of Live: services, stores, and what stands beside the map."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from chaos.status import Active
from dashboards.console.draw import header, overview, red, stores
from dashboards.console.draw.plot import Frame
from dashboards.console.lab import states
from dashboards.console.lab.sight import Sight, Signals, Trouble
from dashboards.console.lab.states import Health
from reference_app.contract import metrics
from reference_app.contract.topology import SMALL, STANDARD, Lab, components
from reference_app.query.prometheus import ActiveAlert, Sample, Series

END = 1300.0
FRAME = Frame(end=END)
ALL = len(components(SMALL, 0))
NOTHING = Signals(state=[], levels=[], requests=[], latency=[], caches=[], outcomes=[], alerts=[])


def steady(value: float, *, until: float = END, **labels: str) -> Series:
    return Series(labels, [(until - second, value) for second in range(60, -1, -1)])


def sample(metric: metrics.Metric, value: float, **labels: str) -> Sample:
    return Sample({"__name__": metric.name} | labels, END, value)


def test_every_service_has_a_row_and_what_nobody_measured_is_not_known(lab: Lab) -> None:
    rows = red.rows(lab, NOTHING, FRAME)
    assert [row.service for row in rows] == ["gateway", "tweets", "users", "graph", "fanout", "timelines", "search", "keyvalue"]
    assert {(row.rate, row.errors, row.tail) for row in rows} == {(None, None, None)}


def test_errors_are_the_share_of_answers_of_5xx(lab: Lab) -> None:
    told = replace(
        NOTHING, requests=[steady(v, service="tweets", http_response_status_code=code) for v, code in ((90, "200"), (6, "404"), (4, "503"))]
    )
    row = red.rows(lab, told, FRAME)[1]
    assert (row.rate, row.errors) == (100, 0.04)


def test_a_lab_with_an_edge_shows_it_first_with_its_classes_of_answers(lab: Lab) -> None:
    standard = replace(lab, components=components(STANDARD, 21900))
    told = replace(NOTHING, requests=[steady(v, service="edge", http_response_status_code=code) for v, code in ((15, "2xx"), (5, "5xx"))])
    edge = red.rows(standard, told, FRAME)[0]
    assert (edge.service, edge.rate, edge.errors, edge.tail) == ("edge", 20, 0.25, None)


def test_a_service_that_fell_silent_has_no_rate_of_now_but_keeps_its_line(lab: Lab) -> None:
    told = replace(NOTHING, requests=[steady(50, until=END - 30, service="tweets", http_response_status_code="200")])
    row = red.rows(lab, told, FRAME)[1]
    assert row.rate is None
    assert row.traffic.paths[0].line


def test_a_shard_tells_of_its_replication(healths: dict[str, Health]) -> None:
    told = replace(
        NOTHING,
        state=[
            sample(metrics.REPLICATION_RUNNING, 0, component="tweets-db-0-replica", shard="tweets-db-0"),
            sample(metrics.SEMI_SYNC_ON, 1, component="tweets-db-0-primary", shard="tweets-db-0"),
        ],
        levels=[steady(7, __name__=metrics.REPLICATION_LAG.name, component="tweets-db-0-replica", shard="tweets-db-0")],
    )
    shards = {shard.name: shard for shard in stores.shards(healths, told, FRAME)}
    first, second, users = shards["tweets-db-0"], shards["tweets-db-1"], shards["users-db-0"]
    assert (first.replicating, first.semi_sync, first.lag) == (False, True, 7)
    assert (second.replicating, second.semi_sync, second.lag) == (None, None, None)
    assert [health.component.role for health in first.members] == ["primary", "replica"]
    assert not users.replicated
    assert "replication stands still" in stores.html(healths, told, FRAME)


def test_a_cache_that_nobody_reads_has_no_hit_rate(healths: dict[str, Health]) -> None:
    told = replace(NOTHING, caches=[steady(0, component="tweet-cache-0", what="hits"), steady(0, component="tweet-cache-0", what="misses")])
    cache = next(cache for cache in stores.caches(healths, told, FRAME) if cache.health.component.name == "tweet-cache-0")
    assert cache.hits is None
    assert cache.reads == 0


def test_of_several_that_tell_of_one_outbox_the_highest_counts() -> None:
    rows = [
        steady(v, __name__=metrics.OUTBOX_UNPUBLISHED.name, shard="tweets-db-0-primary", component=c)
        for v, c in ((3, "tweets-0"), (8, "tweets-1"))
    ]
    (backlog,) = stores.backlogs(replace(NOTHING, levels=rows), FRAME)
    assert (backlog.name, backlog.what, backlog.waiting) == ("outbox tweets-db-0-primary", "rows not published yet", 8)
    old = steady(12.5, __name__=metrics.OUTBOX_OLDEST.name, shard="tweets-db-0-primary", component="tweets-0")
    (backlog,) = stores.backlogs(replace(NOTHING, levels=[*rows, old]), FRAME)
    assert backlog.what == "rows not published yet, the oldest for 12.5 s"
    behind = [Series(dict(row.labels) | {"__name__": metrics.COUNTS_BEHIND.name}, row.points) for row in rows]
    assert [found.name for found in stores.backlogs(replace(NOTHING, levels=behind), FRAME)] == ["counts tweets-db-0-primary"]


def test_incomplete_pages_and_refused_posts_are_marked() -> None:
    told = replace(
        NOTHING,
        outcomes=[
            steady(8, what="pages", result="complete"),
            steady(2, what="pages", result="partial"),
            steady(1, what="posts", result="refused"),
        ],
    )
    figures = {figure.title: figure for figure in overview.figures(told, FRAME)}
    assert (figures["Complete"].value, figures["Complete"].bad) == ("80 %", True)
    assert figures["Posts"].bad
    assert figures["Latency"].value == "–"  # noqa: RUF001


def test_pages_stand_before_tickets_and_what_fires_before_what_is_pending() -> None:
    ordered = overview.alerts(
        [
            ActiveAlert("ComponentDown", {"severity": "ticket", "component": "graph-0"}, "firing", 1290),
            ActiveAlert("SloBurn", {"severity": "page", "slo": "posts"}, "pending", 1295),
            ActiveAlert("SloBurn", {"severity": "page", "slo": "reads"}, "firing", 1240),
        ],
        now=END,
    )
    assert [(alert.about, alert.state, alert.since) for alert in ordered] == [
        ("reads", "firing", "1 min 00 s"), ("posts", "pending", "5 s"), ("graph-0", "firing", "10 s"),
    ]  # fmt: skip


def test_a_fault_that_nobody_holds_a_lease_for_says_how_to_take_it_back(lab: Lab) -> None:
    sight = Sight(END, lab, active=(Active("kill_and_hold", ("graph-0",), 1290, None, "r1"), Active("set_decider", (), 1290, None, "r1")))
    (notice,) = overview.notices(sight)
    assert notice.title == "Fault in force: kill_and_hold on graph-0"
    assert "for 10 s, since 00:21:30 UTC" in notice.text
    assert "failwhale chaos undo" in notice.text


def test_what_a_lab_says_of_itself_is_escaped(lab: Lab) -> None:
    sight = Sight(END, lab, halted="<script>alert(1)</script>")
    assert "&lt;script&gt;" in overview.notices_html(sight)
    assert "<script>" not in overview.notices_html(sight)


@pytest.mark.parametrize(
    ("conditions", "told"),
    [
        ({}, (f"all {ALL} components answer", "fw-good")),
        ({"graph-0": (0, 0)}, (f"{ALL - 1} of {ALL} components answer; graph-0 does not", "fw-bad")),
        ({"graph-0": (0, 0), "users-0": (0, 1), "tweets-0": (0, 0), "search-0": (0, 0)}, (f"{ALL - 4} of {ALL} components answer; graph-0, search-0, tweets-0 and 1 more do not", "fw-bad")),
        ({"graph-0": None}, (f"{ALL - 1} of {ALL} components answer, of the others nothing is known", "fw-quiet")),
    ],
)  # fmt: skip
def test_the_header_says_who_does_not_answer(lab: Lab, conditions: dict[str, Any], told: tuple[str, str]) -> None:
    answers: Callable[[str], Any] = lambda name: conditions.get(name, (1, 0))  # noqa: E731
    known = [component.name for component in sorted(lab.components, key=lambda c: c.name) if answers(component.name) is not None]
    state = [
        *(sample(metrics.COMPONENT_UP, answers(name)[0], component=name) for name in known),
        *(sample(metrics.COMPONENT_HUNG, answers(name)[1], component=name) for name in known),
    ]
    by_name = replace(lab, components=tuple(sorted(lab.components, key=lambda c: c.name)))
    shown = header.header(Sight(END, by_name, replace(NOTHING, state=state)))
    assert (shown.health, shown.tone) == told


def test_without_signals_a_process_that_runs_is_not_said_to_answer(lab: Lab) -> None:
    sight = Sight(END, lab, trouble=Trouble("dark", "", ""), processes={"graph-0": "running", "users-0": "paused", "tweets-0": "exited"})
    found = states.of(sight)
    assert [found[name].condition for name in ("graph-0", "users-0", "tweets-0", "search-0")] == ["runs", "hangs", "down", "unknown"]
