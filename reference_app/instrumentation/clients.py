"""Measured clients of the lab's components, each with its protections, whose state is exported."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Iterable, Sequence
from pathlib import Path

from redis.asyncio import Redis

from reference_app.contract import metrics
from reference_app.contract.profile import LAB
from reference_app.contract.topology import Component, Lab
from reference_app.instrumentation.recorder import Recorder
from reference_app.kit import http
from reference_app.kit.admission import NackAdmission
from reference_app.kit.balancer import Balancer, Instance
from reference_app.kit.breaker import Breaker
from reference_app.kit.cache import Cache
from reference_app.kit.deciders import Deciders
from reference_app.kit.home import Home
from reference_app.kit.membership import Membership
from reference_app.kit.retrying import Policy, Retries
from reference_app.kit.roles import Roles
from reference_app.kit.settings import DEFAULTS, Configuration
from reference_app.kit.shard import Shard
from reference_app.kit.sql import Database, Identity, Session
from reference_app.kit.stream import Stream
from reference_app.kit.warmup import Gate, Probe


def database(
    lab: Lab, component: Component, recorder: Recorder, deciders: Deciders, configuration: Configuration = DEFAULTS, *, tenant: str = ""
) -> Database:
    """A pool to one MariaDB, which must prove that it is this lab's."""
    identity = Identity(component.shard, lab.identity_key)
    whose = f" of {tenant}" if tenant else ""
    reads, writes = (_breaker(component, recorder, deciders, calls=f"{calls}{whose}") for calls in ("reads", "writes"))
    return Database(
        component.name, component.port, identity=identity, size=configuration.connections, observe=recorder.db_client, reads=reads,
        writes=writes, profile=dataclasses.replace(LAB, sql_timeout=configuration.sql_timeout),
    )  # fmt: skip


def shards(
    lab: Lab, group: str, recorder: Recorder, deciders: Deciders, configuration: Configuration = DEFAULTS, *, tenant: str = ""
) -> list[Shard]:
    """All shards of a database group (`tweets-db`), by index. Who is their primary is looked up at every call.

    Pools of a tenant have breakers of their own: its slow calls cut off nobody else.
    """
    roles, retries = Roles(Home(Path(lab.home)).roles_file), _retries(group, recorder, deciders)
    primaries = sorted((c for c in lab.group(group) if c.role == "primary"), key=lambda c: c.index)
    members = {
        primary.shard: {
            member.name: database(lab, member, recorder, deciders, configuration, tenant=tenant)
            for member in lab.kind("mariadb")
            if member.shard == primary.shard
        }
        for primary in primaries
    }
    return [Shard(c.index, c.shard, members[c.shard], c.name, deciders, roles, retries) for c in primaries]


def caches(lab: Lab, group: str, recorder: Recorder, deciders: Deciders) -> dict[str, Cache]:
    """All caches of a group, by name."""
    return {c.name: Cache(c, observe=recorder.db_client, breaker=_breaker(c, recorder, deciders)) for c in lab.group(group)}


def membership(lab: Lab, group: str, recorder: Recorder) -> Membership:
    """Which caches of a group are in its ring, exported."""
    return Membership(
        Home(Path(lab.home)).rings_file,
        group,
        [c.name for c in lab.group(group)],
        on_change=lambda nodes: recorder.gauge(metrics.RING_NODES, len(nodes), group),
    )


def services(lab: Lab, group: str, recorder: Recorder, deciders: Deciders) -> http.Group:
    """All instances of a service."""
    clients = {c: http.Client(c, observe=recorder.http_client) for c in lab.group(group)}
    return http.Group(
        Balancer([Instance(client, _breaker(c, recorder, deciders)) for c, client in clients.items()]),
        retries=_retries(group, recorder, deciders),
        admission=NackAdmission(enabled=lambda: deciders.on("nack_admission")),
        dropped=lambda: recorder.count(metrics.ADMISSION_DROPS, group),
    )


def gate(
    deciders: Deciders,
    *,
    shards: Sequence[Shard] = (),
    caches: Iterable[Cache] = (),
    groups: Iterable[http.Group] = (),
    stream: Stream | None = None,
) -> Gate:
    """The warm-up gate of a process with these dependencies."""
    databases = [database for shard in shards for database in shard.members.values()]
    probes: list[Probe] = [functools.partial(database.read, "warm_up", _select_1) for database in databases]
    probes += [functools.partial(cache.run, "PING", _ping) for cache in caches]
    probes += [group.require_health for group in groups]
    if stream is not None:
        probes.append(stream.client)
    return Gate(probes, enabled=lambda: deciders.on("warm_up_gate"))


async def _select_1(session: Session) -> object:
    return await session.fetch("SELECT 1")


async def _ping(client: Redis) -> object:
    return await client.ping()


def _breaker(component: Component, recorder: Recorder, deciders: Deciders, *, calls: str = "all") -> Breaker:
    return recorder.breaker(component.name, calls, enabled=lambda: deciders.on("breakers"))


def _retries(group: str, recorder: Recorder, deciders: Deciders) -> Retries:
    def count(policy: Policy, outcome: str) -> None:
        recorder.count(metrics.RETRIES, group, policy, outcome)

    return Retries(deciders, recorder.retry_budget(group), count=count)
