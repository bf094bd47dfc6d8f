"""Edge cases among ordinary requests: their traces are kept whole, in all services and behind the stream; of the others only what was sampled."""

from __future__ import annotations

import asyncio
import itertools
import time
import uuid
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from reference_app.contract import api as contract
from reference_app.contract import spans, topology
from reference_app.contract.spans import Span
from reference_app.contract.topology import Lab
from reference_app.kit import deciders, tracing
from reference_app.kit.home import Home
from reference_app.query.traces import Traces

pytestmark = pytest.mark.lab
SIDE_BY_SIDE = 6
SAMPLED_EVERY = 20
SLOW_MS = 700
STREAM_READERS = {"fanout", "search"}


@dataclass(frozen=True)
class Plan:
    """A request; `fault` is what its header asks for, `status` the answer to expect, `services` those that a whole trace of it must show."""

    kind: str
    fault: str = ""
    status: int = 200
    services: frozenset[str] = frozenset()
    sampled: bool = False


@dataclass(frozen=True)
class Sent:
    """A request that was answered."""

    plan: Plan
    context: tracing.TraceContext
    status: int
    seconds: float


POSTED = frozenset({"gateway", "tweets", "fanout", "graph", "search"})
PLANTED = (
    Plan("home", "timelines=error", 503, frozenset({"gateway", "timelines"})),
    Plan("home", "timelines=nack-once", 200, frozenset({"gateway", "timelines"})),
    Plan("home", f"timelines=delay:{SLOW_MS}", 200, frozenset({"gateway", "timelines"})),
    Plan("post", "tweets=error", 503, frozenset({"gateway", "tweets"})),
    Plan("post", "tweets=nack-once", 201, POSTED),
    Plan("post", f"tweets=delay:{SLOW_MS}", 201, POSTED),
    Plan("search", "search=error", 503, frozenset({"gateway", "search"})),
    Plan("timeline", "tweets=nack-once", 200, frozenset({"gateway", "tweets"})),
    Plan("timeline", f"gateway=delay:{SLOW_MS}", 200, frozenset({"gateway", "tweets"})),
    Plan("home", "gateway=error", 503, frozenset({"gateway"})),
)
ORDINARY = (Plan("home"), Plan("home"), Plan("home"), Plan("timeline"), Plan("search"), Plan("post", status=201))


def plans(total: int, planted: int) -> list[Plan]:
    """Edge cases evenly among the others, of which one in twenty is sampled."""
    others = itertools.cycle(ORDINARY)
    mixed = [next(others) for _ in range(total)]
    for number in range(planted):
        mixed[number * total // planted] = PLANTED[number % len(PLANTED)]
    return [
        Plan(plan.kind, status=plan.status, sampled=not n % SAMPLED_EVERY) if not plan.fault else plan for n, plan in enumerate(mixed, 7)
    ]


class Client:
    """Sends plans, some side by side."""

    def __init__(self, lab: Lab, author: Any, reader: Any) -> None:
        self._url, self._author, self._reader = lab.entry_url, author, reader

    def send(self, planned: Sequence[Plan]) -> list[Sent]:
        return asyncio.run(self._send_all(planned))

    async def _send_all(self, planned: Sequence[Plan]) -> list[Sent]:
        slots = asyncio.Semaphore(SIDE_BY_SIDE)
        async with httpx.AsyncClient(base_url=self._url, timeout=30) as client:

            async def one(plan: Plan) -> Sent:
                async with slots:
                    return await self._send(client, plan)

            return await asyncio.gather(*(one(plan) for plan in planned))

    async def _send(self, client: httpx.AsyncClient, plan: Plan) -> Sent:
        context, started = tracing.fresh(sampled=plan.sampled), time.perf_counter()
        headers = {contract.TRACEPARENT: context.header} | ({contract.FAULT: plan.fault} if plan.fault else {})
        answer = await client.request(**self._request(plan.kind, headers))
        return Sent(plan, context, answer.status_code, time.perf_counter() - started)

    def _request(self, kind: str, headers: dict[str, str]) -> dict[str, Any]:
        if kind == "post":
            own = {"authorization": f"Bearer {self._author.token}", contract.IDEMPOTENCY_KEY: uuid.uuid4().hex}
            return {"method": "POST", "url": "/tweets", "json": {"text": "mixed"}, "headers": headers | own}
        paths = {"home": "/home?limit=5", "timeline": f"/users/{self._author.id}/tweets?limit=5", "search": "/search?q=mixed"}
        return {"method": "GET", "url": paths[kind], "headers": headers | {"authorization": f"Bearer {self._reader.token}"}}


def gaps(found: list[Span], sent: Sent) -> list[str]:
    """What is missing in a trace: services, the callee of a call that was answered, the caller of what was asked, readers of an event."""
    by_id = {span.span_id: span for span in found}
    children: dict[str, set[str]] = {}
    for span in found:
        children.setdefault(span.parent_span_id, set()).add(span.service)
    missing = [f"nothing of {service}" for service in sent.plan.services - {span.service for span in found}]
    missing += [f"the caller of {s.name}" for s in found if s.parent_span_id not in by_id and s.parent_span_id != sent.context.span_id]
    for span in found:
        if span.kind == "CLIENT" and span.attributes.get(spans.STATUS_CODE) and not children.get(span.span_id):
            missing.append(f"the callee of {span.name}")
    return missing + [f"a reader of {name}" for name, readers in read_by(found, children).items() if not readers >= STREAM_READERS]


def read_by(found: list[Span], children: dict[str, set[str]]) -> dict[str, set[str]]:
    """Published event -> who read it. One that was published again, because the first time nobody confirmed it, is read once."""
    readers: dict[str, set[str]] = {}
    for span in found:
        if span.kind == "PRODUCER":
            readers.setdefault(span.name, set()).update(children.get(span.span_id, set()))
    return readers


def strangers(found: list[Span], lab: Lab) -> set[tuple[str, str]]:
    """Calls that the topology does not know."""
    called = {(span.service, lab.component(str(span.attributes[spans.PEER])).group) for span in found if spans.PEER in span.attributes}
    return called - {(caller, callee) for caller, callees in topology.SERVICE_EDGES.items() for callee in callees}


def remarkable(found: list[Span]) -> bool:
    """Whether a trace shows an edge case: something failed, or took too long."""
    return any(span.status == "ERROR" or (span.kind == "SERVER" and span.seconds > 0.5) for span in found)


@pytest.fixture
def client(api: Any, lab: Lab) -> Client:
    author, reader = api.user(), api.user()
    api.follow(reader, author)
    return Client(lab, author, reader)


def whole(traces: Traces, lab: Lab, planted: Sequence[Sent]) -> dict[str, list[str]]:
    """Fault -> what its trace lacks, of those that lack something."""
    lacking = {}
    for sent in planted:
        found = traces.by_id(sent.context.trace_id)
        if missing := gaps(found, sent):
            lacking[f"{sent.plan.kind} {sent.plan.fault} {sent.context.trace_id}"] = missing
        assert strangers(found, lab) == set()
    return lacking


@pytest.mark.parametrize(("total", "planted"), [(60, 10), pytest.param(1000, 50, marks=pytest.mark.verify)])
@pytest.mark.usefixtures("faulty")
def test_every_edge_case_is_kept_whole_and_nothing_else_beyond_the_sample(
    client: Client, lab: Lab, home: Home, eventually: Callable[..., None], total: int, planted: int
) -> None:
    traces, sent = Traces(home.traces), client.send(plans(total, planted))
    assert Counter((s.plan.kind, s.plan.fault, s.status) for s in sent if s.plan.fault) == Counter(
        (s.plan.kind, s.plan.fault, s.plan.status) for s in sent if s.plan.fault
    )
    edge_cases = [s for s in sent if s.plan.fault]
    eventually(
        lambda: whole(traces, lab, edge_cases) == {}, f"whole traces of all {planted} edge cases; lacking: {whole(traces, lab, edge_cases)}"
    )
    ordinary = [s for s in sent if not s.plan.fault and not s.plan.sampled]
    kept = {s.context.trace_id: found for s in ordinary if (found := traces.by_id(s.context.trace_id))}
    assert [trace_id for trace_id, found in kept.items() if not remarkable(found)] == []
    sampled = [s for s in sent if s.plan.sampled]
    eventually(lambda: whole(traces, lab, sampled) == {}, "whole traces of what was sampled")


@pytest.mark.usefixtures("faulty")
def test_what_is_kept_says_why_and_no_span_is_there_twice(client: Client, home: Home, eventually: Callable[..., None]) -> None:
    (sent,) = client.send([PLANTED[1]])
    traces = Traces(home.traces)
    eventually(lambda: not gaps(traces.by_id(sent.context.trace_id), sent), "the trace of a hidden retry is whole")
    found = traces.by_id(sent.context.trace_id)
    assert {span.attributes[spans.EDGE_CASE] for span in found} <= set(spans.REASONS)
    assert len({(span.service, span.name, span.start_ns) for span in found}) == len(found)
    assert [s.attributes.get(spans.STATUS_CODE) for s in found if s.service == "timelines" and s.kind == "SERVER"] == [503, 200]


@pytest.mark.breaks
@pytest.mark.usefixtures("faulty")
def test_without_hindsight_nothing_is_kept_but_the_sample(client: Client, home: Home, eventually: Callable[..., None]) -> None:
    deciders.write(home, "hindsight", deciders.OFF, by="test")
    time.sleep(3 * deciders.POLL_SECONDS)
    failed, sampled = client.send([PLANTED[0], Plan("home", sampled=True)])
    traces = Traces(home.traces)
    eventually(lambda: bool(traces.by_id(sampled.context.trace_id)), "the sampled request's spans are kept")
    time.sleep(1.5)
    assert traces.by_id(failed.context.trace_id) == []
