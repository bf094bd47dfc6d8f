"""Builds the key-value tier from its settings."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.types import ASGIApp

from reference_app.contract import keyvalue
from reference_app.contract.topology import Lab
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

    refusals = Refusals()
    bulkheads = _bulkheads(settings.lab, recorder, deciders, refusals)
    background.start("upkeep", Upkeep(bulkheads.common, recorder=recorder).run)
    try:
        routes, gate = (
            Endpoints(Tier(Quotas(deciders, refusals), bulkheads, recorder=recorder)).routes(),
            clients.gate(deciders, shards=[bulkheads.common]),
        )
        yield service.app(routes, recorder, guard=Guard(deciders, recorder), gate=gate)
    finally:
        await background.stop()


def _bulkheads(lab: Lab, recorder: Recorder, deciders: Deciders, refusals: Refusals) -> Bulkheads:
    """Connections and breakers of each tenant, and common ones."""

    def connections(tenant: str = "") -> Shard:
        few = Configuration(connections=CONNECTIONS)
        (shard,) = clients.shards(lab, keyvalue.DATABASE_GROUP, recorder, deciders, few, tenant=tenant)
        return shard

    own = {(tenant, access): connections(tenant) for tenant in keyvalue.TENANTS for access in ACCESSES}
    return Bulkheads(deciders, refusals, own, connections())
