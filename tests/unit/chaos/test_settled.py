"""Each thing that differs from before is named; a lab that is as it was has nothing to name."""

from __future__ import annotations

from dataclasses import replace

import pytest

from chaos import settled
from chaos.settled import Burn, Readings, Replica

WELL = Readings(
    queues={"the outboxes": 0.0},
    burns=(Burn("home-completeness", 60, 0.01, 0.144),),
    replicas=(Replica("tweets-db-0-replica", running=True, lag_s=0.0),),
    hit_rates={"tweet": 0.97, "timeline": 1.0},
    complete=1.0,
)
BEFORE = {"tweet": 0.99, "timeline": 1.0}


def test_a_lab_that_is_as_it_was_has_nothing_to_wait_for() -> None:
    assert settled.unmet(WELL, before=BEFORE) == []


@pytest.mark.parametrize(
    ("readings", "told"),
    [
        (replace(WELL, silent={"graph-0": "refused"}), "graph-0 does not answer (refused)"),
        (replace(WELL, in_force=("kill_and_hold",)), "the fault kill_and_hold is still in force"),
        (replace(WELL, alerts=("SloBurn (home-completeness, firing)",)), "the alert SloBurn (home-completeness, firing) is not resolved"),
        (replace(WELL, queues={"the outboxes": 12.0}), "12 are waiting in the outboxes"),
        (
            replace(WELL, burns=(Burn("home-completeness", 60, 0.2, 0.144),)),
            "20.0% of the last 60 s are bad for home-completeness, which burns above 14.4%",
        ),
        (replace(WELL, replicas=(Replica("tweets-db-0-replica", running=False, lag_s=None),)), "tweets-db-0-replica does not replicate"),
        (
            replace(WELL, replicas=(Replica("tweets-db-0-replica", running=True, lag_s=None),)),
            "tweets-db-0-replica does not know how far it is behind",
        ),
        (replace(WELL, replicas=(Replica("tweets-db-0-replica", running=True, lag_s=9.0),)), "tweets-db-0-replica is 9 s behind"),
        (replace(WELL, not_semi_synchronous=("tweets-db-0-primary",)), "tweets-db-0-primary does not wait for its replica"),
        (replace(WELL, complete=0.9), "90% of the home pages are complete"),
        (
            replace(WELL, hit_rates={"tweet": 0.9, "timeline": 1.0}),
            "the tweet cache hits 90.0%, before the first drill it was 99.0%",
        ),
    ],
)
def test_whatever_differs_is_said(readings: Readings, told: str) -> None:
    assert settled.unmet(readings, before=BEFORE) == [told]


def test_before_the_first_drill_caches_are_as_warm_as_they_are() -> None:
    assert settled.unmet(replace(WELL, hit_rates={"tweet": 0.2}), before={}) == []
