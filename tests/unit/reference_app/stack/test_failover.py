"""When a dead primary is replaced without anybody being asked."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from reference_app.contract.profile import LAB
from reference_app.contract.topology import SMALL, Lab, components
from reference_app.kit import deciders
from reference_app.kit.deciders import Deciders
from reference_app.kit.home import Home
from reference_app.stack import errors, promotion
from reference_app.stack.failover import DECIDER, Failover, Policy
from reference_app.stack.questions import Answer

SHARDS = ("users-db-0", "graph-db-0", "tweets-db-0", "tweets-db-1")
REPLICATED = SHARDS[2:]


def refusing(*dead: str) -> dict[str, bool]:
    return {shard: shard in dead for shard in SHARDS}


def due(policy: Policy, dead: tuple[str, ...], *, now: float) -> list[str]:
    return policy.due(refusing(*dead), REPLICATED, now=now)


def test_a_primary_is_replaced_once_it_has_refused_for_long_enough() -> None:
    policy, dead = Policy(), ("tweets-db-0",)
    assert due(policy, dead, now=0) == due(policy, dead, now=LAB.promotion_after - 0.1) == []
    assert due(policy, dead, now=LAB.promotion_after) == ["tweets-db-0"]


def test_a_crash_that_its_supervisor_repairs_starts_the_count_anew() -> None:
    policy, dead = Policy(), ("tweets-db-0",)
    assert due(policy, dead, now=0) == due(policy, (), now=2) == due(policy, dead, now=4) == due(policy, dead, now=6) == []


def test_a_shard_is_not_promoted_twice_within_the_interval() -> None:
    policy, dead = Policy(), ("tweets-db-0",)
    due(policy, dead, now=0)
    policy.promoted("tweets-db-0", now=5)
    assert due(policy, dead, now=5 + LAB.promotion_every - 1) == []
    assert due(policy, dead, now=5 + LAB.promotion_every) == ["tweets-db-0"]


def test_nothing_is_done_while_half_of_the_shards_are_down() -> None:
    policy, dead = Policy(), ("tweets-db-0", "graph-db-0")
    assert due(policy, dead, now=0) == due(policy, dead, now=60) == []


def test_a_shard_without_replica_has_nobody_to_be_promoted() -> None:
    policy = Policy()
    assert due(policy, ("users-db-0",), now=0) == due(policy, ("users-db-0",), now=60) == []


class Watched:
    """A prober's failover on a lab whose promotions are only noted."""

    def __init__(self, path: Path) -> None:
        self.home, self.now = Home(path), 0.0
        self.lab = Lab(str(path), "small", 21000, components(SMALL, 21000), "key", "secret")
        self._failover = Failover(self.home, self.lab, Deciders(self.home.deciders_file, monotonic=self.tell), monotonic=self.tell)

    def tell(self) -> float:
        return self.now

    def after(self, seconds: float, answer: Answer) -> None:
        """Every primary but that of tweets-db-0 is well for so long; that one gave this answer."""
        for component in self.lab.kind("mariadb"):
            self._failover.heard(component, answer if component.name == "tweets-db-0-primary" else WELL)
        asyncio.run(self._failover.consider())
        self.now += seconds


WELL, REFUSED, HUNG = (Answer(True, True, 0.01, ""), Answer(False, False, 0.01, "refused"), Answer(False, True, 0.3, "no answer"))


@pytest.fixture(params=[errors.ReplicationError("not today"), OSError(28, "No space left on device")], ids=["refused", "disk full"])
def promoted(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> list[str]:
    noted: list[str] = []

    def note(_home: Home, shard: str, **_rest: object) -> None:
        noted.append(shard)
        raise request.param

    monkeypatch.setattr(promotion, "promote", note)
    return noted


@pytest.fixture
def watched(tmp_path: Path) -> Watched:
    return Watched(tmp_path)


def test_by_default_nothing_is_done_automatically(watched: Watched, promoted: list[str]) -> None:
    for _ in range(10):
        watched.after(1, REFUSED)
    assert promoted == []


def test_with_the_decider_on_a_dead_primary_is_replaced_once_and_a_hung_one_is_not(watched: Watched, promoted: list[str]) -> None:
    deciders.write(watched.home, DECIDER, deciders.ON, by="test")
    for _ in range(10):
        watched.after(1, HUNG)
    assert promoted == []
    for _ in range(10):
        watched.after(1, REFUSED)
    assert promoted == ["tweets-db-0"], "an attempt that failed is not repeated at once"
