"""Builds the key-value tier from its settings."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.types import ASGIApp

from reference_app.contract import keyvalue
from reference_app.instrumentation import clients, service
from reference_app.instrumentation.guarding import Guard
from reference_app.instrumentation.recorder import Recorder
from reference_app.kit.deciders import Deciders
from reference_app.kit.settings import Configuration, Settings
from reference_app.kit.shard import Shard
from reference_app.kit.tasks import Background
from reference_app.services.keyvalue.routes import Endpoints
from reference_app.services.keyvalue.tenancy import ACCESSES, CONNECTIONS, Bulkheads, Quotas, Refusals
from reference_app.services.keyvalue.tier import Tier
from reference_app.services.keyvalue.upkeep import Upkeep


@asynccontextmanager
async def compose(settings: Settings, recorder: Recorder) -> AsyncIterator[ASGIApp]:
    """The ASGI app; upkeep runs while it is open."""
    background, deciders = Background(), Deciders(settings.home.deciders_file)

    def connections() -> Shard:
        (shard,) = clients.shards(settings.lab, keyvalue.DATABASE_GROUP, recorder, deciders, Configuration(connections=CONNECTIONS))
        return shard

    common, refusals = connections(), Refusals()
    bulkheads = Bulkheads(
        deciders, refusals, {(tenant, access): connections() for tenant in keyvalue.TENANTS for access in ACCESSES}, common
    )
    background.start("upkeep", Upkeep(common, recorder=recorder).run)
    try:
        routes, gate = (
            Endpoints(Tier(Quotas(deciders, refusals), bulkheads, recorder=recorder)).routes(),
            clients.gate(deciders, shards=[common]),
        )
        yield service.app(routes, recorder, guard=Guard(deciders, recorder), gate=gate)
    finally:
        await background.stop()
