"""Each guard trips on what it is for, and on nothing that a drill may do."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from chaos import catalogue, guards
from chaos.damage import Damage
from chaos.guards import Limits, Sample
from loadgen.history import Completion, Invoke
from reference_app.contract.plan import Plan, phases

WELL = Sample(harmed_s=0.0, unreadable_posts=0, stalled_percent=3.0, free_memory_mib=8_000.0, free_disk_mib=50_000.0)
ALLOWED_S = guards.harm_allowed(Limits(), predicted=0.1, fault_s=40)

PLANTED: dict[str, tuple[dict[str, Any], str, str]] = {
    "lost writes": ({"unreadable_posts": 1}, "lost_writes", "1 acknowledged posts are in no database of their shard (limit 0)"),
    "a runner that is gone": ({"abandoned": ("pause", "loss")}, "runner_gone", "left in force: pause, loss (limit 0)"),
    "harm far beyond what was predicted": ({"harmed_s": 18.5}, "burn", "18.5 s in all, far longer than predicted (limit 18.0 s)"),
    "a machine that stands still": ({"stalled_percent": 75.0}, "host_pressure", "75 % of the last 10 s (limit 60 %)"),
    "no memory": ({"free_memory_mib": 100.4}, "host_pressure", "100 MiB of memory are left on the machine (limit 256 MiB)"),
    "no disk space": ({"free_disk_mib": 9.0}, "host_pressure", "9 MiB of disk space are left on the machine (limit 512 MiB)"),
}  # fmt: skip


@pytest.mark.parametrize(("planted", "guard", "said"), PLANTED.values(), ids=PLANTED.keys())
def test_a_planted_violation_trips_its_guard_with_value_and_limit(planted: dict[str, Any], guard: str, said: str) -> None:
    trip = guards.tripped(replace(WELL, **planted), Limits(), harm_allowed_s=ALLOWED_S)
    assert trip is not None
    assert trip.guard == guard
    assert said in trip.reason
    assert f"{trip.limit:g}" in trip.reason


@pytest.mark.parametrize("sample", [WELL, Sample(), replace(WELL, harmed_s=ALLOWED_S), replace(WELL, stalled_percent=60.0)])
def test_a_run_within_its_limits_goes_on_and_what_could_not_be_seen_trips_nothing(sample: Sample) -> None:
    assert guards.tripped(sample, Limits(), harm_allowed_s=ALLOWED_S) is None


def test_a_fault_that_takes_posts_away_may_do_so_where_its_experiment_says_it() -> None:
    limits = catalogue.load("delete-without-where").extension.safety.guards
    assert guards.tripped(replace(WELL, unreadable_posts=50), limits, harm_allowed_s=ALLOWED_S) is None


def test_the_gravest_guard_is_named() -> None:
    trip = guards.tripped(replace(WELL, harmed_s=99.0, unreadable_posts=3), Limits(), harm_allowed_s=ALLOWED_S)
    assert trip is not None
    assert trip.guard == "lost_writes"


@pytest.mark.parametrize("name", catalogue.names())
def test_no_experiment_can_trip_over_the_harm_that_it_predicts(name: str) -> None:
    """However it is spread over the fault: late and whole, or all the time and in part. A fifth more is no surprise either."""
    extension = catalogue.load(name).extension
    predicted_s = extension.predicted_harm * 40
    allowed_s = guards.harm_allowed(extension.safety.guards, predicted=extension.predicted_harm, fault_s=40)
    assert guards.tripped(replace(WELL, harmed_s=1.2 * predicted_s), extension.safety.guards, harm_allowed_s=allowed_s) is None


PLAN = Plan("r", "d", 1, "small", "goal", 0.0, phases(), True, 70.0, 110.0, "passed")


def page(n: int, due: float, *, ok: bool = True, partial: bool = False) -> list[Invoke | Completion]:
    answered = Completion(n, "ok" if ok else "error", 200, due, 1.0, 1.0, 0.0, partial=partial)
    return [Invoke(n, "home", 1, due, due), answered]


def test_seconds_are_weighed_by_their_share_of_harmed_pages_whatever_the_rate() -> None:
    damage = Damage(PLAN)
    damage.take([*page(1, 70.1), *page(2, 70.9, partial=True)])
    damage.take([*page(3, 71.0, ok=False)])
    assert damage.harmed_s == 1.5


def test_warm_up_and_recovery_cost_nothing_for_there_is_nothing_to_take_back() -> None:
    damage = Damage(PLAN)
    damage.take([*page(1, 3.0, ok=False), *page(2, 110.0, ok=False), *page(3, 50.0, ok=False)])
    assert damage.harmed_s == 1.0


def test_posts_count_once_they_were_acknowledged_and_their_replays_do_not() -> None:
    damage = Damage(PLAN)
    for n, (replay, result) in enumerate([(False, "ok"), (True, "ok"), (False, "indeterminate")]):
        damage.take([Invoke(n, "post", 1, 20.0, 20.0, key="k", replay=replay)])
        damage.take([Completion(n, result, 201, 20.1, 1.0, 1.0, 0.0, tweet_id=str(100 + n))])  # type: ignore[arg-type]
    assert damage.acknowledged == [100]
