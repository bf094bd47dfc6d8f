"""CallsCutOff: what callers have given up although the prober finds it well.

A fault that only some can see (gray failure, Huang et al., HotOS 2017): a disk that is full, a table that is locked, a network that is cut
between two. Whoever has given up every member of a group of several is itself to blame, not all of them at once.
"""

from __future__ import annotations

from dashboards.rules import model
from dashboards.rules.thresholds import Thresholds
from dashboards.rules.tickets import latest, ticket, was_down, within
from reference_app.contract import metrics

GIVEN_UP, OF_GROUP = "caller:given_up:recent", "caller:callees:count"
_GROUP = "(.+?)-[0-9]+(?:-primary|-replica)?"
_FAILED = "error|5xx|timeout|refused|lost"
"""A breaker that nobody asks stays open: only one whose calls and probes fail says something of now."""


def recordings(limits: Thresholds) -> tuple[model.Recording, ...]:
    """How many a caller calls is looked for as far back as what it gave up: one that restarts is forgotten by both at once."""
    called = f"max by (component, peer) (max_over_time({metrics.BREAKER_OPEN.name}{within(limits.hang_s)}))"
    return (
        model.Recording(OF_GROUP, f"count by (component, group) ({_grouped(called)})"),
        model.Recording(GIVEN_UP, _grouped(_given_up(limits))),
    )


def alert(limits: Thresholds) -> model.Alert:
    given_up = latest(GIVEN_UP, limits)
    whole_group = f"(count by (component, group) ({given_up}) == {latest(OF_GROUP, limits)} > 1)"
    callees = f"max by (peer) ({given_up} unless on (component, group) {whole_group})"
    expr = (
        f'label_replace(label_replace({callees}, "component", "$1", "peer", "(.+)"), "peer", "", "", "")\n'
        f"or max by (component) ({given_up} and on (component, group) {whole_group})"
    )
    return ticket("CallsCutOff", expr, "{{ $labels.component }} answers the prober, and calls between it and others fail all the same")


def _given_up(limits: Thresholds) -> str:
    """Caller and callee, both found well by the prober, and the breaker between them open all the time.

    Its series begins when it opens for the first time: only one that is older than the window says how it was in all of it.
    """
    breaker = metrics.BREAKER_OPEN.name
    older = f"{breaker} offset {model.duration(limits.hang_s)}"
    is_open = f"max by (component, peer) (min_over_time({breaker}{within(limits.hang_s)}) and {older}) == 1"
    counts = f"{metrics.HTTP_CLIENT.name}_count|{metrics.DB_CLIENT.name}_count"
    failing = f'sum by (component, peer) (rate({{__name__=~"{counts}",outcome=~"{_FAILED}"}}{within(limits.settle_s)})) > 0'
    return (
        f"({is_open}\n"
        f"and on (component, peer) {failing}\n"
        f"unless on (component) {was_down(limits)}\n"
        f'unless on (peer) label_replace({was_down(limits)}, "peer", "$1", "component", "(.+)"))'
    )


def _grouped(series: str) -> str:
    return f'label_replace({series}, "group", "$1", "peer", "{_GROUP}")'
