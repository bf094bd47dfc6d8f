"""Do those who counted the same requests agree? Clients, the edge where there is one, and the gateways, within 1 %. Pure.

Clients are the load, the steady-state probes and the witness. A request whose answer nobody saw may have been counted or not, so the
clients' count is a range. The edge answers some requests by itself, so of all answers the gateways' count is compared only where there is no
edge; and where it gave up on a gateway, that one may have counted an answer that was good and came too late.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from loadgen.history import Operation
from postmortems import whitelist
from postmortems.evidence import Snapshot
from reference_app.contract import api, metrics, topology
from reference_app.query import prometheus
from reference_app.query.prometheus import Series

TOLERANCE, SLACK = 0.01, 3
"""Share of a count, and events: of fewer than 300 one per cent is less than chance."""
_BOUNDARY_S = 2.0
"""Requests this close to the first sample are in it or not: a sample may be a second old."""

Kind = Literal["good", "all"]
ROUTES = {"home": (api.HOME, metrics.EDGE_HOME), "post": (api.TWEETS, metrics.EDGE_POSTS)}
"""Operation -> its route at the gateway and its backend at the edge."""


@dataclass(frozen=True)
class Count:
    """What was counted of one operation. Clients saw at least `least` such answers and at most `most`; who did not count has None.

    `hidden` is how many good answers of gateways an edge may have replaced by failures of its own.
    """

    op: str
    kind: Kind
    least: int | None = None
    most: int | None = None
    hidden: int = 0
    edge: int | None = None
    gateway: int | None = None


@dataclass(frozen=True)
class _Answer:
    """Requests as their client saw them, from the first sent to the last answered. None: it is not known whether they were answered, or how."""

    op: str
    since: float
    at: float
    answered: bool | None
    good: bool | None
    times: int = 1


def counts(snapshot: Snapshot, window: tuple[float, float]) -> list[Count]:
    """Good answers and all answers of home reads and posts in the window of the frozen series."""
    seen = None if snapshot.operations is None else list(_seen(snapshot))
    with_edge = topology.has_edge(snapshot.plan.topology)
    return [_count(snapshot, seen, op, kind, window, with_edge=with_edge) for op in ROUTES for kind in ("good", "all")]


def disagreements(counted: Iterable[Count]) -> Iterator[str]:
    """Who differs from the clients by more than 1 %, in sentences."""
    for count in counted:
        if count.least is None or count.most is None:
            continue
        for who, value, more in (("edge", count.edge, 0), ("gateway", count.gateway, count.hidden)):
            low, high = _loosened(count.least, count.most + more)
            if value is not None and not low <= value <= high:
                yield _sentence(count, who, value)


def _loosened(least: int, most: int) -> tuple[float, float]:
    return least - max(SLACK, TOLERANCE * least), most + max(SLACK, TOLERANCE * most)


def _sentence(count: Count, who: str, value: int) -> str:
    what = f"{'good ' if count.kind == 'good' else ''}answers to {'home reads' if count.op == 'home' else 'posts'}"
    clients = f"{count.least:,}" if count.least == count.most else f"{count.least:,} to {count.most:,}"
    return (
        f"clients counted {clients} {what} and the {who} {value:,}: they differ by more than {TOLERANCE:.0%},"
        " so somebody else used the lab, or one of the two does not count right"
    )


def _count(
    snapshot: Snapshot, seen: Sequence[_Answer] | None, op: str, kind: Kind, window: tuple[float, float], *, with_edge: bool
) -> Count:
    route, backend = ROUTES[op]
    series, good = snapshot.series, kind == "good"
    edge = gateway = None
    if series is not None and with_edge:
        edge = _grown(series.get(metrics.EDGE_RESPONSES.name, ()), {"proxy": backend}, "code", "2" if good else "", window)
    if series is not None and (good or not with_edge):
        found = series.get(whitelist.GATEWAY_REQUESTS, ())
        gateway = _grown(found, {"http_route": route}, "http_response_status_code", "2" if good else "", window)
    if seen is None:
        return Count(op, kind, edge=edge, gateway=gateway)
    mine = [answer for answer in seen if answer.op == op and window[0] - _BOUNDARY_S < answer.at <= window[1]]
    known = [(_known(answer, window, good=good), answer.times) for answer in mine]
    least, unknown = (sum(times for value, times in known if value is wanted) for wanted in (True, None))
    failed = sum(answer.times for answer in mine if answer.answered and not answer.good)
    return Count(op, kind, least, least + unknown, failed if with_edge else 0, edge, gateway)


def _known(answer: _Answer, window: tuple[float, float], *, good: bool) -> bool | None:
    if answer.since < window[0] + _BOUNDARY_S:
        return None
    return answer.good if good else answer.answered


def _grown(found: Iterable[Series], labels: dict[str, str], code: str, begins: str, window: tuple[float, float]) -> int:
    wanted = (s for s in found if labels.items() <= s.labels.items() and s.labels.get(code, "").startswith(begins))
    return round(sum(prometheus.increase_of(series.points, window[0]) for series in wanted))


def _seen(snapshot: Snapshot) -> Iterator[_Answer]:
    yield from (_of_load(operation) for operation in snapshot.operations or ())
    for sighting in snapshot.witnessed:
        known = True if sighting.outcome == "ok" else None
        yield _Answer(sighting.op, sighting.began, sighting.ended, known, known)
    for event in snapshot.events:
        if event.event == "pages_read":
            began, asked, answered = (event.detail[name] for name in ("began", "asked", "answered"))
            yield _Answer("home", began, event.at, answered=True, good=True, times=answered)
            yield _Answer("home", began, event.at, answered=None, good=None, times=asked - answered)


def _of_load(operation: Operation) -> _Answer:
    at = operation.completed_at or operation.invoked_at
    if operation.status == 0:
        return _Answer(operation.op, operation.invoked_at, at, answered=None, good=None)
    return _Answer(operation.op, operation.invoked_at, at, answered=True, good=200 <= operation.status < 300)
