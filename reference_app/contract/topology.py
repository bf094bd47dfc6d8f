"""The parts of a lab and how they stand to one another.

A `Topology` says how many of each part; `components` lays them out with names and ports; `Lab` is what `failwhale up`
writes to `var/lab.json` and everything else reads.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import Literal

Kind = Literal["mariadb", "redis", "nats", "service", "prometheus", "alertmanager", "prober"]
Role = Literal["", "primary", "replica"]

SERVICES = ("gateway", "tweets", "users", "graph", "fanout", "timelines")
"""Service groups, the gateway first: it is the only one that users reach."""

SERVICE_EDGES: dict[str, tuple[str, ...]] = {
    "gateway": ("tweets", "users", "graph", "timelines"),
    "timelines": ("tweets", "users", "graph", "timeline-cache"),
    "tweets": ("tweets-db", "tweet-cache", "events"),
    "users": ("users-db",),
    "graph": ("graph-db",),
    "fanout": ("events", "graph", "timeline-cache"),
}
"""Directed calls: group -> groups that it calls."""


@dataclass(frozen=True)
class Component:
    """One process of the lab. `shard` names the pair a primary and its replica form (`tweets-db-0`), else it is the name."""

    name: str
    kind: Kind
    group: str
    index: int
    port: int
    role: Role = ""
    shard: str = ""

    @property
    def tool(self) -> bool:
        """True for what watches the lab, False for what is under test (they run on different CPU cores)."""
        return self.kind in ("prometheus", "alertmanager", "prober")


@dataclass(frozen=True)
class Topology:
    """How many of each part. Services not named in `instances` run once."""

    name: str
    tweet_shards: int = 2
    tweet_replicas: bool = True
    timeline_caches: int = 2
    tweet_caches: int = 1
    instances: dict[str, int] = field(default_factory=dict)


SMALL = Topology(name="small")

# Port offsets from the lab's base; a block per kind so that a name's port does not move when another count changes.
_SERVICE_PORTS, _MARIADB_PORTS, _REDIS_PORTS, _NATS_PORTS, _TOOL_PORTS = 0, 20, 50, 70, 80
SUPERVISOR_PORT_OFFSET = 90
CONSOLE_PORT_OFFSET = 91
PORTS_PER_LAB = 100
DEFAULT_PORT_BASE = 18000
"""Below 32768, where Linux starts to hand out ephemeral ports."""


def components(topology: Topology, port_base: int) -> tuple[Component, ...]:
    """Lay a topology out: stores first, then services, then tools; names and ports are stable."""
    return (
        *_mariadb(topology, port_base + _MARIADB_PORTS),
        *_redis(topology, port_base + _REDIS_PORTS),
        Component("events-0", "nats", "events", 0, port_base + _NATS_PORTS, shard="events-0"),
        *_services(topology, port_base + _SERVICE_PORTS),
        *(Component(name, kind, name, 0, port_base + _TOOL_PORTS + i, shard=name) for i, (name, kind) in enumerate(_TOOLS)),
    )


_TOOLS: tuple[tuple[str, Kind], ...] = (
    ("prometheus", "prometheus"),
    ("alertmanager", "alertmanager"),
    ("prober", "prober"),
)


def _mariadb(topology: Topology, port: int) -> tuple[Component, ...]:
    singles = [Component(f"{g}-0", "mariadb", g, 0, port + i, "primary", f"{g}-0") for i, g in enumerate(("users-db", "graph-db"))]
    pairs = []
    for i in range(topology.tweet_shards):
        shard = f"tweets-db-{i}"
        pairs.append(Component(f"{shard}-primary", "mariadb", "tweets-db", i, port + 4 + 2 * i, "primary", shard))
        if topology.tweet_replicas:
            pairs.append(Component(f"{shard}-replica", "mariadb", "tweets-db", i, port + 5 + 2 * i, "replica", shard))
    return (*singles, *pairs)


def _redis(topology: Topology, port: int) -> tuple[Component, ...]:
    counts = (("timeline-cache", topology.timeline_caches), ("tweet-cache", topology.tweet_caches))
    return tuple(
        Component(f"{group}-{i}", "redis", group, i, port + 10 * block + i, shard=f"{group}-{i}")
        for block, (group, count) in enumerate(counts)
        for i in range(count)
    )


def _services(topology: Topology, port: int) -> tuple[Component, ...]:
    return tuple(
        Component(f"{group}-{i}", "service", group, i, port + 3 * block + i, shard=f"{group}-{i}")
        for block, group in enumerate(SERVICES)
        for i in range(topology.instances.get(group, 1))
    )


@dataclass(frozen=True)
class Lab:
    """A lab that was laid out: the content of `var/lab.json` (mode 0600, it holds the signing key)."""

    home: str
    topology: str
    port_base: int
    components: tuple[Component, ...]
    signing_key: str
    supervisor_password: str

    def component(self, name: str) -> Component:
        """The component of that name; KeyError lists what there is."""
        for component in self.components:
            if component.name == name:
                return component
        raise KeyError(f"no component {name!r}; this lab has {', '.join(c.name for c in self.components)}")

    def group(self, group: str) -> tuple[Component, ...]:
        """All components of a group (`tweets-db`, `gateway`), in order."""
        return tuple(c for c in self.components if c.group == group)

    def kind(self, kind: Kind) -> tuple[Component, ...]:
        """All components of a kind, in order."""
        return tuple(c for c in self.components if c.kind == kind)

    @property
    def identity_key(self) -> str:
        """What a database of this lab says of itself in its `identity` table."""
        return hashlib.sha256(self.signing_key.encode()).hexdigest()[:32]

    @property
    def gateway_url(self) -> str:
        """Where users enter."""
        return f"http://127.0.0.1:{self.group('gateway')[0].port}"

    @property
    def prometheus_url(self) -> str:
        return f"http://127.0.0.1:{self.component('prometheus').port}"

    @property
    def alertmanager_url(self) -> str:
        return f"http://127.0.0.1:{self.component('alertmanager').port}"

    @property
    def console_port(self) -> int:
        return self.port_base + CONSOLE_PORT_OFFSET

    @property
    def supervisor_port(self) -> int:
        return self.port_base + SUPERVISOR_PORT_OFFSET
