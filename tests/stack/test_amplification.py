"""How often the last of two layers is called per request of a client while every call fails: gateway -> tweets -> tweets-db-0, both of whose
databases are dead. Three attempts at each layer are nine when retries are naive; a budget bounds them."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from reference_app.contract import ids, metrics
from reference_app.contract.topology import Lab
from reference_app.kit import deciders
from reference_app.kit.home import Home
from reference_app.kit.retrying import POLICIES, Policy
from reference_app.stack.control import Control
from tests.stack.conftest import Api

pytestmark = [pytest.mark.lab, pytest.mark.breaks]
CLIENTS, PERIOD_S = 3, 0.06
PRIMARY, REPLICA = "tweets-db-0-primary", "tweets-db-0-replica"
CALLED = f"{metrics.DB_CLIENT.name}_count{{"
ONE_READ_ONE_CALL = {"tweet_cache": 0, "hot_keys": 0, "cold_single_flight": 0, "cold_gathering": 0, "breakers": 0}
"""Nothing between a request and the database but the two layers. The breakers are off, or the storm would end with the fifth failure."""


class Storm:
    """Reads of one tweet, over and over, and how often its primary was asked; the replica is asked as often."""

    def __init__(self, lab: Lab, home: Home, tweet: str) -> None:
        self._lab, self._home, self._tweet = lab, home, tweet

    def decide(self, values: dict[str, int]) -> None:
        for name, value in values.items():
            deciders.write(self._home, name, value, by="test")
        time.sleep(2 * deciders.POLL_SECONDS)

    def amplification(self, policy: Policy, *, seconds: float) -> float:
        """Calls of the last layer per request, all of which fail."""
        self.decide({"retries": POLICIES.index(policy)})
        before = self._calls()
        statuses = self.read(seconds)
        assert set(statuses) <= {503, 504}, set(statuses)
        return (self._calls() - before) / len(statuses)

    def read(self, seconds: float) -> list[int]:
        """Statuses of what three clients get who ask 16 times a second each, or as often as they are answered."""
        ends = time.monotonic() + seconds
        with ThreadPoolExecutor(CLIENTS) as pool:
            return [status for part in pool.map(self._read_until, [ends] * CLIENTS) for status in part]

    def _read_until(self, ends: float) -> list[int]:
        with httpx.Client(base_url=self._lab.entry_url, timeout=5) as client:
            statuses, due = [], time.monotonic()
            while time.monotonic() < ends:
                statuses.append(client.get(f"/tweets/{self._tweet}").status_code)
                due = max(due + PERIOD_S, time.monotonic() - PERIOD_S)
                time.sleep(max(0.0, due - time.monotonic()))
            return statuses

    def _calls(self) -> float:
        text = httpx.get(f"http://127.0.0.1:{self._lab.component('tweets-0').port}/metrics").text
        lines = [line.partition(" # ")[0] for line in text.splitlines() if line.startswith(CALLED)]
        asked = [line for line in lines if f'peer="{PRIMARY}"' in line and 'operation_name="get_tweets"' in line]
        return sum(float(line.rpartition(" ")[2]) for line in asked)


@pytest.fixture
def storm(lab: Lab, home: Home, api: Api) -> Storm:
    author = api.user()
    tweets = (api.acknowledged(author, uuid.uuid4().hex, "over and over") for _ in range(50))
    made = Storm(lab, home, next(tweet for tweet in tweets if ids.shard_of(int(tweet)) == 0))
    made.decide(ONE_READ_ONE_CALL)
    return made


@pytest.fixture
def kill_the_shard(home: Home) -> Callable[[], None]:
    def kill() -> None:
        for name in (PRIMARY, REPLICA):
            Control(home).kill_and_hold(name)

    return kill


@pytest.mark.verify
def test_naive_retries_multiply_and_a_budget_bounds_them(storm: Storm, kill_the_shard: Callable[[], None]) -> None:
    kill_the_shard()
    assert storm.amplification("off", seconds=0.5) == 1
    assert storm.amplification("naive", seconds=1.5) >= 6
    assert storm.amplification("budgeted", seconds=4) <= 1.3


@pytest.mark.verify
def test_ten_seconds_of_total_failure_after_plain_sailing_are_nine_times_the_load_or_hardly_more_than_once(
    storm: Storm, kill_the_shard: Callable[[], None]
) -> None:
    assert set(storm.read(10)) == {200}, "successes that pay for retries"
    kill_the_shard()
    assert storm.amplification("budgeted", seconds=10) <= 1.3
    assert storm.amplification("naive", seconds=10) >= 6
