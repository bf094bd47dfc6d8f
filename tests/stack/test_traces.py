"""Traces of the running lab: whole, on every signal, and free for whoever is not sampled."""

from __future__ import annotations

import statistics
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from reference_app.contract import metrics, spans, topology
from reference_app.contract.spans import Span
from reference_app.contract.topology import Lab
from reference_app.kit import deciders, tracing
from reference_app.kit.home import Home
from reference_app.query import logs
from reference_app.query.prometheus import Prometheus
from reference_app.query.traces import Traces
from reference_app.stack.control import Control

pytestmark = pytest.mark.lab
PASSWORD = "correct horse"
REQUESTS, FULL_WITHIN_SECONDS = 200, 20


class Traced:
    """Requests of one trace; `traceparent` is what the client sends."""

    def __init__(self, home: Home, *, sampled: bool = True) -> None:
        self._traces, self._context = Traces(home.traces), tracing.fresh(sampled=sampled)
        self.trace_id, self.sent_parent = self._context.trace_id, self._context.span_id
        self.headers = {"traceparent": self._context.header}

    def spans(self) -> list[Span]:
        return self._traces.by_id(self.trace_id)

    def has(self, service: str, name: str) -> bool:
        return any((span.service, span.name) == (service, name) for span in self.spans())


@dataclass(frozen=True)
class People:
    """An author and a follower of theirs whose home list does not exist yet."""

    author: Any
    follower: Any


@pytest.fixture
def people(api: Any) -> People:
    author, follower = api.user(), api.user()
    api.follow(follower, author)
    return People(author, follower)


@pytest.fixture
def post(api: Any, people: People, home: Home, eventually: Callable[..., None]) -> Traced:
    """A post that was delivered."""
    traced = Traced(home)
    answer = api.call(people.author, "POST", "/tweets", json={"text": "hi"}, headers=traced.headers | {"idempotency-key": uuid.uuid4().hex})
    assert answer.status_code == 201, answer.text
    eventually(
        lambda: (
            traced.has("fanout", "process tweets.posted")
            and traced.has("gateway", "POST /tweets")
            and any((span.service, span.kind) == ("tweets", "PRODUCER") for span in traced.spans())
        ),
        "the post's spans are kept",
    )
    return traced


def read_home(api: Any, user: Any, headers: dict[str, str]) -> Any:
    answer = api.call(user, "GET", "/home", headers=headers)
    assert answer.status_code == 200, answer.text
    return answer


def lineage(found: list[Span], name_begins: str) -> list[tuple[str, str]]:
    """(service, kind) of a span and of its ancestors."""
    by_id = {span.span_id: span for span in found}
    span = next(span for span in found if span.name.startswith(name_begins))
    line = [span]
    while (parent := by_id.get(line[-1].parent_span_id)) is not None:
        line.append(parent)
    return [(span.service, span.kind) for span in line]


def logged_by(home: Home, trace_id: str) -> set[str]:
    """Groups of the processes that wrote about a trace."""
    return {line.component.rpartition("-")[0] for line in logs.read(home.logs, logs.Wanted(trace_id=trace_id))}


def exemplar_of(lab: Lab, trace_id: str, metric: metrics.Metric) -> bool:
    found = Prometheus(lab.prometheus_url).exemplars(f"{metric.name}_bucket", time.time() - 60, time.time() + 1)
    return trace_id in {exemplar.trace_id for exemplar in found}


def called(lab: Lab, found: list[Span]) -> set[tuple[str, str]]:
    """Directed edges: a caller's group, and that of the component it says it called."""
    return {(span.service, lab.component(str(span.attributes[spans.PEER])).group) for span in found if spans.PEER in span.attributes}


def test_a_post_is_one_trace_from_the_gateway_to_the_followers_redis(post: Traced) -> None:
    found = post.spans()
    ids = {span.span_id for span in found}
    roots = [span for span in found if span.parent_span_id not in ids]
    assert [(root.service, root.name, root.parent_span_id) for root in roots] == [("gateway", "POST /tweets", post.sent_parent)]
    assert lineage(found, "deliver timeline-cache-") == [
        ("fanout", "CLIENT"), ("fanout", "CONSUMER"), ("tweets", "PRODUCER"), ("tweets", "SERVER"), ("gateway", "CLIENT"), ("gateway", "SERVER"),
    ]  # fmt: skip
    assert lineage(found, "insert_tweet tweets-db-")[:2] == [("tweets", "CLIENT"), ("tweets", "SERVER")]
    assert not [span.name for span in found if span.status == "ERROR"]


def test_a_posts_trace_is_in_the_logs_of_every_service_on_its_way_and_an_exemplar(
    post: Traced, lab: Lab, home: Home, eventually: Callable[..., None]
) -> None:
    assert logged_by(home, post.trace_id) == {"gateway", "tweets", "fanout", "graph", "search"}
    for metric in (metrics.HTTP_SERVER, metrics.HTTP_CLIENT, metrics.DB_CLIENT, metrics.DELIVERY_SECONDS):
        eventually(lambda metric=metric: exemplar_of(lab, post.trace_id, metric), f"an exemplar of {metric.name}")


def test_a_cold_home_reads_trace_shows_everyone_who_was_asked(
    api: Any, people: People, post: Traced, lab: Lab, home: Home, eventually: Callable[..., None]
) -> None:
    assert post.spans()
    traced = Traced(home)
    answer = read_home(api, people.follower, traced.headers)
    assert answer.headers["x-request-id"] == traced.trace_id
    eventually(
        lambda: traced.has("gateway", "GET /home") and traced.has("users", "POST /internal/users/multiget"), "the read's spans are kept"
    )
    asked = {("gateway", "timelines"), *(("timelines", group) for group in topology.SERVICE_EDGES["timelines"])}
    assert asked <= called(lab, traced.spans())
    assert {"gateway", "timelines", "graph", "users", "tweets"} <= logged_by(home, traced.trace_id)
    eventually(lambda: exemplar_of(lab, traced.trace_id, metrics.HTTP_SERVER), "an exemplar")


def walk(api: Any, people: People, traced: Traced) -> None:
    """Uses every part of the surface that another service stands behind."""
    account = {"handle": f"t{uuid.uuid4().hex[:12]}", "password": PASSWORD}
    other = api.call(None, "POST", "/users", json=account, headers=traced.headers).json()["id"]
    key = {"idempotency-key": uuid.uuid4().hex}
    tweet = api.acknowledged(people.author, uuid.uuid4().hex, "to be liked")
    asked = [
        api.call(None, "POST", "/tokens", json=account, headers=traced.headers),
        api.call(people.follower, "PUT", f"/following/{other}", headers=traced.headers),
        api.call(people.author, "POST", "/tweets", json={"text": "walking"}, headers=traced.headers | key),
        read_home(api, people.follower, traced.headers),
        api.call(None, "GET", f"/users/{people.author.id}/tweets", headers=traced.headers),
        api.call(people.follower, "GET", "/search?q=walking", headers=traced.headers),
        api.call(people.follower, "PUT", f"/tweets/{tweet}/like", headers=traced.headers),
        api.call(None, "GET", f"/tweets/{tweet}", headers=traced.headers),
    ]
    assert all(answer.status_code < 300 for answer in asked), [(answer.status_code, answer.text) for answer in asked]


def test_every_service_has_metrics_spans_and_logs_and_calls_whom_the_topology_says(
    api: Any, people: People, lab: Lab, home: Home, eventually: Callable[..., None]
) -> None:
    traced = Traced(home)
    walk(api, people, traced)
    services = set(topology.SERVICES)
    eventually(lambda: {span.service for span in traced.spans()} == services, "spans of every service are kept")
    expected = {(caller, callee) for caller, callees in topology.SERVICE_EDGES.items() if caller in services for callee in callees}
    eventually(lambda: called(lab, traced.spans()) >= expected, "every edge of the topology is seen")
    assert called(lab, traced.spans()) == expected
    assert logged_by(home, traced.trace_id) == services
    counted = Prometheus(lab.prometheus_url).instant(f'sum by (service) ({metrics.SPANS_EXPORTED.name}{{error_type=""}}) > 0')
    assert {sample.labels["service"] for sample in counted} == services


def test_an_unsampled_request_leaves_no_span_but_its_trace_id_in_the_log(
    api: Any, people: People, home: Home, eventually: Callable[..., None]
) -> None:
    unsampled, sampled = Traced(home, sampled=False), Traced(home)
    for traced in (unsampled, sampled):
        read_home(api, people.follower, traced.headers)
    eventually(lambda: {span.service for span in sampled.spans()} >= {"gateway", "timelines"}, "the later request's spans are kept")
    assert {span.attributes.get(spans.EDGE_CASE) for span in unsampled.spans()} <= {"slow"}, "nothing, unless this machine was slow"
    assert "gateway" in logged_by(home, unsampled.trace_id)


@pytest.mark.breaks
def test_the_gateway_samples_as_its_decider_says(api: Any, people: People, home: Home, eventually: Callable[..., None]) -> None:
    deciders.write(home, "hindsight", deciders.OFF, by="test")
    trace_ids = {}
    for value in (deciders.OFF, deciders.ON):
        deciders.write(home, "trace_sampling", value, by="test")
        time.sleep(2 * deciders.POLL_SECONDS)
        trace_ids[value] = read_home(api, people.follower, {}).headers["x-request-id"]
    traces = Traces(home.traces)
    eventually(lambda: bool(traces.by_id(trace_ids[deciders.ON])), "the sampled request's spans are kept")
    assert traces.by_id(trace_ids[deciders.OFF]) == []


@pytest.fixture
def paused(home: Home, lab: Lab) -> Iterator[Callable[[], None]]:  # noqa: ARG001
    """Pauses the collector until the test ends."""
    control = Control(home)
    yield lambda: control.pause("collector")
    control.resume("collector")


def milliseconds(api: Any, people: People, home: Home) -> float:
    """Median of reads, all sampled."""
    traced, took = Traced(home), []
    for number in range(REQUESTS):
        started = time.perf_counter()
        path = "/home" if number % 2 else f"/users/{people.author.id}/tweets"
        answer = api.call(people.follower, "GET", path, headers=traced.headers)
        took.append((time.perf_counter() - started) * 1000)
        assert answer.status_code == 200, answer.text
    return statistics.median(took)


@pytest.mark.verify
@pytest.mark.breaks
def test_a_paused_collector_slows_nobody_and_the_spans_it_costs_are_counted(
    api: Any, people: People, lab: Lab, home: Home, paused: Callable[[], None]
) -> None:
    milliseconds(api, people, home)
    before = milliseconds(api, people, home)
    paused()
    start = time.time()
    assert milliseconds(api, people, home) < 1.5 * before
    while not (dropped := spans_dropped(lab, since=start)) and time.time() < start + FULL_WITHIN_SECONDS:
        milliseconds(api, people, home)
    assert dropped, "no queue was full"


def spans_dropped(lab: Lab, *, since: float) -> float:
    selector = f'{metrics.SPANS_PROCESSED.name}{{error_type="queue_full"}}'
    return Prometheus(lab.prometheus_url).increase(selector, since, time.time())
