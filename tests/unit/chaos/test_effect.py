"""Operations that a fault affected, counted over samples that are made up; what is planted is a fault without traffic."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

import pytest

from chaos import delays, effect
from chaos.effect import Affected, Window
from chaos.events import Event
from chaos.injections import Injection
from loadgen.history import Operation
from reference_app.contract import metrics
from reference_app.contract.plan import Plan, phases
from reference_app.contract.topology import SMALL, STANDARD, Lab, components
from reference_app.query.prometheus import Prometheus, Series

WITHIN = Window(start=100.0, end=140.0, before_start=80.0, before_end=100.0)
LAB = Lab("", "standard", 1, components(STANDARD, 1), "", "")
CACHE = "timeline-cache-0"


class Samples(Prometheus):
    """Series by labels, each with what it counted in the time before the fault and during it."""

    def __init__(self, *series: tuple[dict[str, str], float, float]) -> None:
        super().__init__("http://127.0.0.1:1")
        self._series = series

    def increase(self, selector: str, start: float, end: float) -> float:  # noqa: ARG002
        during = start >= WITHIN.start
        return sum(counted[during] for labels, *counted in self._series if _matches(selector, labels))

    def raw(self, selector: str, start: float, end: float) -> list[Series]:  # noqa: ARG002
        during = start >= WITHIN.start
        return [Series(labels, [(0.0, 1.0)] * int(counted[during])) for labels, *counted in self._series if _matches(selector, labels)]


def _matches(selector: str, labels: dict[str, str]) -> bool:
    name, _, rest = selector.partition("{")
    matchers = re.findall(r'(\w+)(=~|!~|!=|=)"([^"]*)"', rest) + ([("__name__", "=", name)] if name else [])
    return all(
        bool(re.fullmatch(value, labels.get(label, "")) if "~" in how else labels.get(label, "") == value) is not how.startswith("!")
        for label, how, value in matchers
    )


def calls(peer: str, outcome: str, before: float, during: float, *, quick: tuple[float, float] | None = None) -> Iterable[Any]:
    """A histogram of calls of which `quick` took at most 100 ms, all unless said otherwise."""
    labels = {"peer": peer, "outcome": outcome}
    yield {"__name__": f"{metrics.DB_CLIENT.name}_count"} | labels, before, during
    yield {"__name__": f"{metrics.DB_CLIENT.name}_bucket", "le": "0.1"} | labels, *(quick or (before, during))


def injection(fault: str, *hit: str, measured: dict[str, float] | None = None, **parameters: Any) -> Injection:
    applied = Event(WITHIN.start, "injected", fault, hit, {"parameters": parameters})
    return Injection(applied, Event(WITHIN.end, "undone", fault, hit, {"measured": measured or {}}))


LATENCY: dict[str, Any] = {"toxics": [{"type": "latency", "attributes": {"latency": 120, "jitter": 20}}]}


def affected(samples: Samples, fault: Injection, *, lab: Lab = LAB, users: Iterable[Operation] = ()) -> Affected:
    return effect.affected(samples, lab, fault, WITHIN, users=lambda: users)


def test_calls_that_failed_or_were_not_even_tried_are_counted_and_others_are_not() -> None:
    samples = Samples(
        *calls(CACHE, "refused", 0, 30),
        *calls(CACHE, "breaker_open", 0, 12),
        *calls(CACHE, "ok", 400, 500),
        *calls("events-0", "lost", 0, 9),
    )
    assert affected(samples, injection("kill_and_hold", CACHE)) == Affected(failed=42)


def test_calls_that_came_later_than_the_fault_declares_are_counted_beyond_those_of_before() -> None:
    samples = Samples(*calls(CACHE, "ok", 1000, 2000, quick=(990, 500)))
    assert affected(samples, injection("latency", CACHE, **LATENCY)).slow == 1480
    assert affected(samples, injection("kill_and_hold", CACHE)).slow == 0


def test_calls_that_were_always_slow_are_not_the_work_of_the_fault() -> None:
    samples = Samples(*calls(CACHE, "ok", 1000, 2000, quick=(500, 1000)))
    assert affected(samples, injection("latency", CACHE, **LATENCY)) == Affected()


@pytest.mark.parametrize(
    "fault",
    [
        injection("kill_and_hold", CACHE), injection("latency", CACHE, measured={"delayed": 400.0, "connections": 3.0}, **LATENCY),
        injection("loss", CACHE, measured={"packets": 90.0}, percent=10), injection("flush_cache", CACHE), injection("pause", CACHE),
    ],
    ids=lambda fault: fault.applied.fault,
)  # fmt: skip
def test_a_fault_of_a_component_without_traffic_affected_nothing_whatever_probes_asked_it(fault: Injection) -> None:
    assert affected(Samples(*calls("events-0", "ok", 900, 1800)), fault).total == 0


def test_what_a_fault_saw_on_the_wire_counts_up_to_the_calls_that_the_app_made() -> None:
    samples = Samples(*calls(CACHE, "ok", 900, 1800))
    assert affected(samples, injection("loss", CACHE, measured={"packets": 700.0}, percent=10)).total == 700
    assert affected(samples, injection("bandwidth", CACHE, measured={"delayed": 9000.0})).total == 1800


def test_what_a_fault_counted_itself_is_believed() -> None:
    assert affected(Samples(), injection("user_errors", "users-0", measured={"affected_operations": 77.0})).total == 77
    assert affected(Samples(), injection("stop_replica", "tweets-db-0-replica", measured={"transactions_behind": 250.0})).total == 250


def test_look_ups_in_vain_count_beyond_the_share_of_before() -> None:
    hits, misses = ({"__name__": metric.name, "component": CACHE} for metric in (metrics.CACHE_HITS, metrics.CACHE_MISSES))
    assert affected(Samples((hits, 900, 1400), (misses, 100, 600)), injection("flush_cache", CACHE)) == Affected(missed=400)
    assert affected(Samples((hits, 900, 1800), (misses, 100, 200)), injection("flush_cache", CACHE)) == Affected()


class Queue(Samples):
    """Lengths of a queue, in the time before the fault and during it."""

    def __init__(self, metric: metrics.Metric, **labels: str) -> None:
        super().__init__()
        self._labels = {"__name__": metric.name, **labels}

    def raw(self, selector: str, start: float, end: float) -> list[Series]:
        labels = self._labels
        lengths = [2.0, 3.0, 0.0] if start < WITHIN.start else [1.0, 250.0, 480.0, 10.0]
        return (
            [Series(labels, [(start, length) for length in lengths])] if _matches(selector, labels) else super().raw(selector, start, end)
        )


def test_events_that_nobody_took_count_beyond_those_that_waited_before() -> None:
    queue = Queue(metrics.STREAM_PENDING, consumer="fanout")
    assert affected(queue, injection("pause", "fanout-0")) == Affected(waiting=477)
    assert affected(queue, injection("pause", "search-0")) == Affected()


def test_what_the_stream_does_not_take_waits_in_the_outbox() -> None:
    outbox = Queue(metrics.OUTBOX_UNPUBLISHED, shard="tweets-db-0")
    assert affected(outbox, injection("kill_and_hold", "events-0")) == Affected(waiting=477)
    assert affected(outbox, injection("pause", "fanout-0")) == Affected()


def test_a_primary_waits_for_its_replica_so_its_calls_count_and_those_of_another_shard_do_not() -> None:
    samples = Samples(*calls("tweets-db-0-primary", "timeout", 0, 25), *calls("tweets-db-1-primary", "timeout", 0, 7))
    assert affected(samples, injection("pause", "tweets-db-0-replica")).failed == 25
    assert affected(samples, injection("pause", "tweets-db-0-primary")).failed == 25
    assert affected(samples, injection("pause", "tweets-db-1-replica")).failed == 7


def test_a_fault_of_nobody_in_particular_counts_at_all_callers() -> None:
    samples = Samples(*calls(CACHE, "timeout", 0, 25), *calls("users-0", "timeout", 0, 5))
    assert affected(samples, injection("cpu_burn")).failed == 30


def operation(at: float, result: str, response_ms: float) -> Operation:
    return Operation(
        1, "home", 1, 0, 0.0, at, "", "", 1, replay=False, type=result, status=200, completed_at=at, response_ms=response_ms,  # type: ignore[arg-type]
        service_ms=response_ms, lag_ms=0.0, tweet_id="", partial=False, tweets=0, error="",
    )  # fmt: skip


def test_at_the_entrance_users_are_the_callers() -> None:
    seen = [operation(99, "error", 1), operation(101, "error", 1), operation(102, "ok", 300), operation(103, "ok", 9)]
    small = Lab("", "small", 1, components(SMALL, 1), "", "")
    assert affected(Samples(), injection("pause", "gateway-0"), lab=small, users=seen).users == 1
    assert affected(Samples(), injection("latency", "gateway-0", **LATENCY), lab=small, users=seen).users == 2
    assert affected(Samples(), injection("pause", CACHE), users=seen).users == 0


@pytest.mark.parametrize(
    ("tool", "series", "missing"),
    [
        ("prometheus", ({"__name__": "up"}, 400, 300), 500),
        ("prober", ({"__name__": metrics.COMPONENT_UP.name}, 600, 1200), 0),
        ("collector", ({"__name__": metrics.SPANS_EXPORTED.name, "error_type": "refused"}, 0, 90), 90),
        ("collector", ({"__name__": metrics.SPANS_EXPORTED.name, "error_type": ""}, 0, 90), 0),
        ("alertmanager", ({"__name__": metrics.NOTIFICATIONS_FAILED.name}, 0, 38), 38),
    ],
)  # fmt: skip
def test_of_observability_counts_what_was_not_recorded(tool: str, series: tuple[dict[str, str], float, float], missing: int) -> None:
    assert affected(Samples(series), injection("kill_and_hold", tool)).unrecorded == missing


def test_the_time_before_is_that_of_the_same_load() -> None:
    plan = Plan("r", "d", 1, "small", "goal", 1000.0, phases(), True, 70.0, 110.0, "passed")
    applied = Event(1070.2, "injected", "pause", (CACHE,))
    assert effect.window(Injection(applied, None), plan, now=1090.0) == Window(1070.2, 1090.0, 1050.0, 1070.0)


@pytest.mark.parametrize(
    ("fault", "parameters", "seconds"),
    [("latency", LATENCY, 0.1), ("loss", {"percent": 10}, 0.2), ("cpu_quota", {"percent": 20}, 0.08), ("kill_and_hold", {}, None)],
)
def test_a_fault_declares_how_late_it_makes_its_callers(fault: str, parameters: dict[str, Any], seconds: float | None) -> None:
    assert delays.declared(fault, parameters) == (None if seconds is None else pytest.approx(seconds))


@pytest.mark.parametrize(("delay", "bound"), [(0.1, 0.1), (0.08, 0.05), (0.0001, 0.001), (9.0, 5.0)])
def test_slower_than_a_delay_is_what_no_bucket_up_to_it_holds(delay: float, bound: float) -> None:
    assert delays.bucket(delay) == bound
