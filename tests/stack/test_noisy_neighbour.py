"""Two tenants of the key-value tier: one floods at many times its quota, the other has an objective."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from dataclasses import dataclass, field

import msgspec
import pytest

from reference_app.contract import api, keyvalue, metrics
from reference_app.contract.keyvalue import COUNTS, DISMISSED, Dataset
from reference_app.contract.topology import Component, Lab
from reference_app.kit import deciders, errors, http
from reference_app.kit.home import Home
from reference_app.query.prometheus import Prometheus

pytestmark = [pytest.mark.lab, pytest.mark.breaks]
FLOODING, FLOOD_KEYS, SECONDS = 48, keyvalue.BATCH_MAX, 4.0
"""Requests that are always under way: at once some 50 times of what the tenant may read in a second. Its bucket is full at first, and what it
may take of it at once is a third of a second of one core."""
FAILED_MAX = 0.05
RATE = 40
"""Requests a second of the neighbour, whether the last one was answered or not."""


@dataclass
class Tenant:
    """What a tenant saw: answers by status or outcome, and seconds from when a request was meant to be sent."""

    answers: Counter[str] = field(default_factory=Counter)
    seconds: list[float] = field(default_factory=list)

    async def ask(self, client: http.Client, dataset: Dataset, keys: list[str], meant: float) -> None:
        path, body = api.Internal.VALUES.format(dataset=dataset.title), msgspec.json.encode(api.Keys(keys))
        try:
            answer = await client.call("POST", path, route=api.Internal.VALUES, body=body, limit=2)
            self.answers[str(answer.status)] += 1
        except errors.CallError as error:
            self.answers[error.outcome] += 1
        self.seconds.append(time.monotonic() - meant)

    @property
    def p50_ms(self) -> float:
        """The median: a pause of the machine makes late what comes meanwhile, a flood that is let in makes all late."""
        return sorted(self.seconds)[len(self.seconds) // 2] * 1000

    @property
    def failed(self) -> float:
        return 1 - self.answers["200"] / self.answers.total()


@dataclass(frozen=True)
class Neighbours:
    noisy: Tenant
    other: Tenant


async def _flood(client: http.Client, tenant: Tenant, until: float) -> None:
    while (now := time.monotonic()) < until:
        await tenant.ask(client, DISMISSED, [f"{n}:{n}" for n in range(FLOOD_KEYS)], now)


async def _steady(client: http.Client, tenant: Tenant, until: float) -> None:
    async with asyncio.TaskGroup() as group:
        meant = time.monotonic()
        while meant < until:
            await asyncio.sleep(meant - time.monotonic())
            group.create_task(tenant.ask(client, COUNTS, ["1:likes", "1:retweets"], meant))
            meant += 1 / RATE


async def _side_by_side(tier: Component, flooding: int) -> Neighbours:
    found, until = Neighbours(Tenant(), Tenant()), time.monotonic() + SECONDS
    clients = http.Client(tier), http.Client(tier)
    async with asyncio.TaskGroup() as group:
        group.create_task(_steady(clients[0], found.other, until))
        for _ in range(flooding):
            group.create_task(_flood(clients[1], found.noisy, until))
    for client in clients:
        client.close()
    return found


def side_by_side(lab: Lab, *, flooding: int) -> Neighbours:
    return asyncio.run(_side_by_side(lab.component("keyvalue-0"), flooding))


def objective_ms(alone: Tenant) -> float:
    """Five times of what it takes alone, on a machine of any speed."""
    return 5 * alone.p50_ms


def test_a_tenant_that_floods_is_throttled_and_its_neighbour_keeps_its_objective(lab: Lab) -> None:
    started = time.time()
    alone, found = side_by_side(lab, flooding=0).other, side_by_side(lab, flooding=FLOODING)
    assert found.noisy.answers["429"] > 10 * found.noisy.answers["200"] > 0
    assert found.other.failed <= FAILED_MAX, found
    assert found.other.p50_ms < objective_ms(alone), (alone.p50_ms, found.other.p50_ms)
    refused = f'{metrics.KEYVALUE_OPERATIONS.name}{{tenant="suggestions",result="quota_exceeded"}}'
    assert Prometheus(lab.prometheus_url).increase(refused, started, time.time() + 1) > 0


@pytest.mark.verify
def test_without_quotas_and_bulkheads_the_same_flood_harms_the_neighbour(lab: Lab, home: Home) -> None:
    """What the test above would find if the tier did not throttle."""
    alone = side_by_side(lab, flooding=0).other
    for name in ("keyvalue_quotas", "keyvalue_bulkheads"):
        deciders.write(home, name, deciders.OFF, by="test")
    time.sleep(2 * deciders.POLL_SECONDS)
    found = side_by_side(lab, flooding=FLOODING)
    assert found.noisy.answers["429"] == 0
    assert found.other.p50_ms > objective_ms(alone) or found.other.failed > FAILED_MAX, (alone.p50_ms, found.other)
