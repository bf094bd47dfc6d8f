"""The parts of a lab and how they stand to one another.

A `Topology` says how many of each part; `components` lays them out with names and ports; `Lab` is what `failwhale up`
writes to `var/lab.json` and everything else reads.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

Kind = Literal["mariadb", "redis", "nats", "service", "haproxy", "prometheus", "alertmanager", "collector", "prober", "receiver"]
Role = Literal["", "primary", "replica"]

SERVICES = ("gateway", "tweets", "users", "graph", "fanout", "timelines", "search", "keyvalue")
"""Service groups, the gateway first: it is the only one that users reach, through the edge where there is one."""

SERVICE_EDGES: dict[str, tuple[str, ...]] = {
    "edge": ("gateway",),
    "gateway": ("tweets", "users", "graph", "timelines", "search", "keyvalue"),
    "timelines": ("tweets", "users", "graph", "timeline-cache"),
    "tweets": ("tweets-db", "tweet-cache", "events", "keyvalue"),
    "users": ("users-db",),
    "graph": ("graph-db",),
    "fanout": ("events", "graph", "timeline-cache"),
    "search": ("events",),
    "keyvalue": ("keyvalue-db",),
}
"""Directed calls: group -> groups that it calls."""


@dataclass(frozen=True)
class Component:
    """One process of the lab. `shard` names the pair a primary and its replica form (`tweets-db-0`), else it is the name.

    A database of a pair keeps the name of the role that it was born with; `role` is the one that it has now.
    """

    name: str
    kind: Kind
    group: str
    index: int
    port: int
    role: Role = ""
    shard: str = ""

    @property
    def paired(self) -> bool:
        """True for a database that is one of two."""
        return self.role != "" and self.name != self.shard

    @property
    def swapped(self) -> bool:
        """True for a member of a pair whose role is not the one that its name tells."""
        return self.paired and self.name != f"{self.shard}-{self.role}"

    @property
    def tool(self) -> bool:
        """True for what watches the lab, False for what is under test (they run on different CPU cores)."""
        return self.kind in ("prometheus", "alertmanager", "collector", "prober", "receiver")

    @property
    def metrics_port(self) -> int:
        """Where it is scraped: on its own port, an edge beside it, because users reach that one."""
        return self.port + _EXPORTER_OFFSET if self.kind == "haproxy" else self.port


@dataclass(frozen=True)
class Topology:
    """How many of each part. Services not named in `instances` run once; databases of the groups in `replicated` have a replica each."""

    name: str
    tweet_shards: int = 2
    graph_shards: int = 1
    replicated: tuple[str, ...] = ("tweets-db",)
    timeline_caches: int = 2
    tweet_caches: int = 1
    edge: bool = False
    instances: dict[str, int] = field(default_factory=dict)
    load: float = 1.0
    """Share of a load preset's rates that a lab of this size is given, so that the peak leaves half of the core under test free, also while a
    shared machine runs at two thirds of its speed. More parts cost more a request (docs/adr/0010)."""


SMALL = Topology(name="small", load=0.5)
STANDARD = Topology(
    name="standard",
    tweet_shards=3,
    graph_shards=2,
    replicated=("tweets-db", "graph-db", "users-db"),
    timeline_caches=3,
    tweet_caches=2,
    edge=True,
    instances=dict.fromkeys(SERVICES, 2),
    load=0.4,
)
CACHES = Topology(name="caches", tweet_caches=6, load=0.5)
"""A small lab whose tweets are on as many caches as make one of them a sixth of the keys (docs/cache-truth.md)."""
TOPOLOGIES = {topology.name: topology for topology in (SMALL, STANDARD, CACHES)}


def load_of(name: str) -> float:
    """Share of a preset's rates for a lab of that topology."""
    return TOPOLOGIES[name].load if name in TOPOLOGIES else 1.0


def has_edge(name: str) -> bool:
    """True when users of a topology enter through an edge, which then counts the objectives of availability."""
    return name in TOPOLOGIES and TOPOLOGIES[name].edge


# Port offsets from the lab's base; a block per kind so that a name's port does not move when another count changes.
_SERVICE_PORTS, _MARIADB_PORTS, _REDIS_PORTS, _NATS_PORTS, _EDGE_PORT, _TOOL_PORTS = 0, 20, 50, 70, 75, 80
_BLOCKS_BEFORE_MARIADB = 7
_EXPORTER_OFFSET = 1
SUPERVISOR_PORT_OFFSET = 90
CONSOLE_PORT_OFFSET = 91
LOCUST_PORT_OFFSET = 92
FAULT_PROXY_PORT_OFFSET = 93
GENERATOR_PORT_OFFSET, GENERATORS_MAX = 94, 4
PORTS_PER_LAB = 100
DEFAULT_PORT_BASE = 18000
RECEIVER_PATH = "/alerts"
"""Below 32768, where Linux starts to hand out ephemeral ports."""


def components(topology: Topology, port_base: int) -> tuple[Component, ...]:
    """Lay a topology out: stores first, then services, then tools; names and ports are stable."""
    return (
        *_mariadb(topology, port_base + _MARIADB_PORTS),
        *_redis(topology, port_base + _REDIS_PORTS),
        Component("events-0", "nats", "events", 0, port_base + _NATS_PORTS, shard="events-0"),
        *_services(topology, port_base + _SERVICE_PORTS),
        *((Component("edge-0", "haproxy", "edge", 0, port_base + _EDGE_PORT, shard="edge-0"),) if topology.edge else ()),
        *(Component(name, kind, name, 0, port_base + _TOOL_PORTS + i, shard=name) for i, (name, kind) in enumerate(_TOOLS)),
    )


_TOOLS: tuple[tuple[str, Kind], ...] = (
    ("prometheus", "prometheus"),
    ("alertmanager", "alertmanager"),
    ("prober", "prober"),
    ("collector", "collector"),
    ("receiver", "receiver"),
)


def _mariadb(topology: Topology, port: int) -> tuple[Component, ...]:
    counts = {"users-db": 1, "graph-db": topology.graph_shards, "tweets-db": topology.tweet_shards, "keyvalue-db": 1}
    return tuple(
        member
        for group, count in counts.items()
        for index in range(count)
        for member in _database(topology, group, index, port + _database_port(group, index))
    )


def _database_port(group: str, index: int) -> int:
    """Of a primary; up to three tweet shards fit before the second graph shard, up to three graph shards before the key-value database."""
    first = {"users-db": 0, "graph-db": 1 if index == 0 else 8, "tweets-db": 4, "keyvalue-db": 14}
    return first[group] + 2 * index


def _database(topology: Topology, group: str, index: int, port: int) -> tuple[Component, ...]:
    shard = f"{group}-{index}"
    if group not in topology.replicated:
        return (Component(shard, "mariadb", group, index, port, "primary", shard),)
    # users-db-0 and graph-db-0 are neighbours: their replicas come after both.
    replica_port = port + (2 if shard in ("users-db-0", "graph-db-0") else 1)
    replica = Component(f"{shard}-replica", "mariadb", group, index, replica_port, "replica", shard)
    return (Component(f"{shard}-primary", "mariadb", group, index, port, "primary", shard), replica)


def _redis(topology: Topology, port: int) -> tuple[Component, ...]:
    counts = (("timeline-cache", topology.timeline_caches), ("tweet-cache", topology.tweet_caches))
    return tuple(
        Component(f"{group}-{i}", "redis", group, i, port + 10 * block + i, shard=f"{group}-{i}")
        for block, (group, count) in enumerate(counts)
        for i in range(count)
    )


def _services(topology: Topology, port: int) -> tuple[Component, ...]:
    return tuple(
        Component(f"{group}-{i}", "service", group, i, port + _service_port(block) + i, shard=f"{group}-{i}")
        for block, group in enumerate(SERVICES)
        for i in range(topology.instances.get(group, 1))
    )


def _service_port(block: int) -> int:
    """Seven groups fit before the databases, more come after them."""
    return 3 * block if block < _BLOCKS_BEFORE_MARIADB else 40 + 3 * (block - _BLOCKS_BEFORE_MARIADB)


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

    def with_primaries(self, primaries: Mapping[str, str]) -> Lab:
        """The lab with these roles: shard -> name of its primary. Shards that are not named keep the roles that they have."""
        named = tuple(_in_role(c, primaries[c.shard]) if c.kind == "mariadb" and c.shard in primaries else c for c in self.components)
        return replace(self, components=named)

    def shard(self, name: str) -> tuple[Component, Component | None]:
        """(primary, replica) of a database, whichever roles they have now; KeyError lists what there is."""
        members = {c.role: c for c in self.kind("mariadb") if c.shard == name}
        if "primary" not in members:
            raise KeyError(f"no database {name!r}; this lab has {', '.join(sorted({c.shard for c in self.kind('mariadb')}))}")
        return members["primary"], members.get("replica")

    def kind(self, kind: Kind) -> tuple[Component, ...]:
        """All components of a kind, in order."""
        return tuple(c for c in self.components if c.kind == kind)

    @property
    def identity_key(self) -> str:
        """What a database of this lab says of itself in its `identity` table."""
        return hashlib.sha256(self.signing_key.encode()).hexdigest()[:32]

    @property
    def entry(self) -> Component:
        """Where users enter: the edge, in a lab without one the gateway."""
        return (self.group("edge") or self.group("gateway"))[0]

    @property
    def entry_url(self) -> str:
        return f"http://127.0.0.1:{self.entry.port}"

    @property
    def prometheus_url(self) -> str:
        return f"http://127.0.0.1:{self.component('prometheus').port}"

    @property
    def alertmanager_url(self) -> str:
        return f"http://127.0.0.1:{self.component('alertmanager').port}"

    @property
    def receiver_url(self) -> str:
        """Where Alertmanager tells of what fires."""
        return f"http://127.0.0.1:{self.component('receiver').port}{RECEIVER_PATH}"

    @property
    def console_port(self) -> int:
        return self.port_base + CONSOLE_PORT_OFFSET

    @property
    def locust_port(self) -> int:
        return self.port_base + LOCUST_PORT_OFFSET

    @property
    def generator_ports(self) -> tuple[int, ...]:
        """Where processes of a load are scraped while one runs."""
        return tuple(self.port_base + GENERATOR_PORT_OFFSET + i for i in range(GENERATORS_MAX))

    @property
    def fault_proxy_port(self) -> int:
        return self.port_base + FAULT_PROXY_PORT_OFFSET

    @property
    def supervisor_port(self) -> int:
        return self.port_base + SUPERVISOR_PORT_OFFSET


def _in_role(member: Component, primary: str) -> Component:
    return replace(member, role="primary" if member.name == primary else "replica")
