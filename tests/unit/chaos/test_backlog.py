"""Queues and replicas of a made-up run: a fault from second 70 to 110, of which a backlog is left."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from chaos import backlog
from reference_app.contract import metrics
from reference_app.contract.plan import Plan, phases
from reference_app.query.prometheus import Series

T0 = 1_000.5
PLAN = Plan("r", "d", 1, "small", "goal", T0, phases(), True, 70.0, 110.0, "passed")
STREAM, OUTBOX, LAG, RUNNING = (
    metric.name for metric in (metrics.STREAM_PENDING, metrics.OUTBOX_UNPUBLISHED, metrics.REPLICATION_LAG, metrics.REPLICATION_RUNNING)
)
Level = Callable[[int], float | None]


def one(level: Level, **labels: str) -> Series:
    """A sample each second, but where it is None."""
    return Series(labels, [(T0 + t, value) for t in range(int(PLAN.duration) + 1) if (value := level(t)) is not None])


def waiting(*, until: int, usual: float = 2) -> Series:
    return one(lambda t: 50 if 75 <= t < until else usual)


def test_a_queue_that_is_as_long_as_before_the_fault_is_drained() -> None:
    found = backlog.drained({STREAM: [waiting(until=117)]}, PLAN)
    assert [second for second, done in found.items() if not done] == list(range(75, 117))


def test_shards_of_an_outbox_are_one_queue() -> None:
    found = backlog.drained({OUTBOX: [waiting(until=112), waiting(until=119)]}, PLAN)
    assert (found[118], found[119]) == (False, True)


def test_the_longest_queue_decides() -> None:
    found = backlog.drained({OUTBOX: [waiting(until=112)], STREAM: [waiting(until=125)]}, PLAN)
    assert (found[124], found[125]) == (False, True)


@pytest.mark.parametrize(
    "replica",
    [
        {LAG: [one(lambda t: 30 if 75 <= t < 120 else 0), one(lambda _: 0)]},
        {LAG: [one(lambda t: None if 75 <= t < 120 else 0)]},
        {LAG: [one(lambda _: 0)], RUNNING: [one(lambda t: 0 if 75 <= t < 120 else 1), one(lambda _: 1)]},
    ],
    ids=["behind", "does not know how far", "stopped"],
)
def test_a_replica_has_caught_up_when_it_runs_and_is_a_second_behind_at_most(replica: dict[str, list[Series]]) -> None:
    found = backlog.drained(replica, PLAN)
    assert (found[119], found[120]) == (False, True)


def test_what_is_not_known_in_a_second_is_not_drained_then() -> None:
    found = backlog.drained({STREAM: [one(lambda t: None if 80 <= t < 115 else 1)]}, PLAN)
    assert (found[79], found[100], found[115]) == (True, False, True)


@pytest.mark.parametrize("series", [{}, {STREAM: [one(lambda t: 1 if t > 70 else None)]}], ids=["no series", "not before the fault"])
def test_without_a_past_to_compare_with_nothing_is_said(series: dict[str, list[Series]]) -> None:
    assert backlog.drained(series, PLAN) == {}
