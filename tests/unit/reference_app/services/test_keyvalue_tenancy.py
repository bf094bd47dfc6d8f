"""Quotas and bulkheads of the key-value tier, on a clock of their own."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any, cast

import pytest

from reference_app.contract import keyvalue
from reference_app.contract.profile import LAB
from reference_app.contract.topology import SMALL, Lab, components
from reference_app.instrumentation.recorder import Recorder
from reference_app.kit import deciders, errors, files
from reference_app.kit.deciders import Deciders
from reference_app.kit.shard import Shard
from reference_app.services.keyvalue import app, tenancy
from reference_app.services.keyvalue.tenancy import ACCESSES, CONNECTIONS, WAITING, Bulkheads, Quotas, Refusals


class World:
    """A clock that nothing moves, deciders in a file, and how long refusals were held."""

    def __init__(self, directory: Path) -> None:
        self._file = directory / "deciders.json"
        self.deciders, self.now = Deciders(self._file, monotonic=self._polled), 0.0
        self.held: list[float] = []
        self.release = asyncio.Event()
        self.refusals = Refusals(sleep=self._sleep)
        self.quotas = Quotas(self.deciders, self.refusals, monotonic=lambda: self.now)
        self._polls = 0.0

    def set(self, **values: int) -> None:
        files.write_json(self._file, values)

    async def charged(self, tenant: str, keys: int = 1) -> bool:
        """False for a proper refusal."""
        try:
            await self.quotas.charge(tenant, "reads", keys)
        except errors.AppError as error:
            return not ((error.code, error.status) == ("quota_exceeded", 429) and (error.retry_after or 0) > 0)
        return True

    def _polled(self) -> float:
        """Later each time, so that the file is always read."""
        self._polls += deciders.POLL_SECONDS
        return self._polls

    async def _sleep(self, seconds: float) -> None:
        self.held.append(seconds)
        await self.release.wait()


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def test_a_tenant_that_used_up_its_quota_leaves_the_others_theirs(world: World) -> None:
    async def scenario() -> None:
        world.release.set()
        world.set(quota_suggestions_reads=10)
        assert [await world.charged("suggestions", 5) for _ in range(3)] == [True, True, False]
        assert await world.charged("engagement", 500)
        world.now += 1
        assert await world.charged("suggestions", 5)

    asyncio.run(scenario())


def test_a_quota_follows_its_decider_and_all_can_be_switched_off(world: World) -> None:
    async def scenario() -> None:
        world.release.set()
        world.set(quota_suggestions_reads=0)
        world.now += 1
        assert not await world.charged("suggestions")
        world.set(quota_suggestions_reads=5)
        world.now += 1
        assert await world.charged("suggestions")
        world.set(quota_suggestions_reads=0, keyvalue_quotas=deciders.OFF)
        world.now += 1
        assert await world.charged("suggestions", 1000)

    asyncio.run(scenario())


def test_a_refusal_is_held_for_a_moment_and_beyond_some_they_are_told_at_once(world: World) -> None:
    async def scenario() -> None:
        world.set(quota_suggestions_reads=0)
        world.now += 1
        refused = [asyncio.create_task(world.charged("suggestions")) for _ in range(tenancy.HELD_MAX + 5)]
        await asyncio.wait(refused, timeout=0.01)
        assert sum(task.done() for task in refused) == 5
        assert len(world.held) == tenancy.HELD_MAX
        assert max(world.held) <= tenancy.HOLD_S
        world.release.set()
        assert await asyncio.gather(*refused) == [False] * (tenancy.HELD_MAX + 5)

    asyncio.run(scenario())


class Pools:
    """Bulkheads over shards that are only told apart."""

    def __init__(self, world: World) -> None:
        own: dict[Any, Any] = {(tenant, access): f"{tenant}-{access}" for tenant in keyvalue.TENANTS for access in ACCESSES}
        self.bulkheads = Bulkheads(world.deciders, world.refusals, own, cast("Shard", "common"))
        self.done = asyncio.Event()

    async def use(self, tenant: str) -> str:
        try:
            async with self.bulkheads.entered(tenant, "reads") as shard:
                await self.done.wait()
                return str(shard)
        except errors.AppError as error:
            return f"{error.code}{' nack' if error.nack else ''}"


def test_a_tenant_fills_its_own_connections_and_its_own_line_and_nobody_elses(world: World) -> None:
    async def scenario() -> None:
        pools = Pools(world)
        flood = [asyncio.create_task(pools.use("suggestions")) for _ in range(CONNECTIONS + WAITING + 3)]
        await asyncio.sleep(0)
        other = asyncio.create_task(pools.use("engagement"))
        await asyncio.wait(flood, timeout=0.01)
        assert world.held == [tenancy.HOLD_S] * 3
        world.release.set()
        await asyncio.wait(flood, timeout=0.01)
        assert [task.result() for task in flood if task.done()] == ["overloaded"] * 3
        pools.done.set()
        assert await other == "engagement-reads"
        assert [await task for task in flood].count("suggestions-reads") == CONNECTIONS + WAITING

    asyncio.run(scenario())


def test_without_bulkheads_all_use_the_same_connections(world: World) -> None:
    async def scenario() -> None:
        world.set(keyvalue_bulkheads=deciders.OFF)
        pools = Pools(world)
        pools.done.set()
        assert {await pools.use(tenant) for tenant in keyvalue.TENANTS} == {"common"}

    asyncio.run(scenario())


def test_a_tenant_whose_calls_fail_opens_its_own_breaker_and_nobody_elses(world: World) -> None:
    lab = Lab("", "small", 1, components(SMALL, 1), "key", "password")  # at the port of its database nobody listens

    async def asked(bulkheads: Bulkheads, tenant: str) -> str:
        async with bulkheads.entered(tenant, "reads") as shard:
            try:
                await shard.primary.read("get", lambda session: session.fetch("SELECT 1"))
            except errors.CallError as error:
                return error.outcome
        return "answered"

    async def scenario() -> None:
        bulkheads = app._bulkheads(lab, Recorder(), world.deciders, world.refusals)
        for _ in range(LAB.breaker_failures):
            assert await asked(bulkheads, "suggestions") == "refused"
        assert [await asked(bulkheads, tenant) for tenant in ("suggestions", "engagement")] == ["breaker_open", "refused"]

    asyncio.run(scenario())
