"""Measured clients of the lab's components, each with a breaker whose state is exported."""

from __future__ import annotations

from reference_app.contract.topology import Component, Lab
from reference_app.instrumentation.recorder import Recorder
from reference_app.kit import http
from reference_app.kit.cache import Cache
from reference_app.kit.deciders import Deciders
from reference_app.kit.shard import Shard
from reference_app.kit.sql import Database, Identity


def database(lab: Lab, component: Component, recorder: Recorder) -> Database:
    """A pool to one MariaDB, which must prove that it is this lab's."""
    identity = Identity(component.shard, lab.identity_key)
    return Database(component.name, component.port, identity=identity, observe=recorder.db_client, breaker=recorder.breaker(component.name))


def shards(lab: Lab, group: str, recorder: Recorder, deciders: Deciders) -> list[Shard]:
    """All shards of a database group (`tweets-db`), by index."""
    members = {(c.index, c.role): database(lab, c, recorder) for c in lab.group(group)}
    indexes = sorted({index for index, _ in members})
    return [Shard(index, members[index, "primary"], members.get((index, "replica")), deciders) for index in indexes]


def caches(lab: Lab, group: str, recorder: Recorder) -> dict[str, Cache]:
    """All caches of a group, by name."""
    return {c.name: Cache(c, observe=recorder.db_client, breaker=recorder.breaker(c.name)) for c in lab.group(group)}


def services(lab: Lab, group: str, recorder: Recorder) -> http.Group:
    """All instances of a service."""
    return http.Group(lab.group(group), observe=recorder.http_client)
