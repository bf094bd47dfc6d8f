"""Makes a part of a lab's tweet caches cold for real, and reads off what its tweets service counted."""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import redis

from failwhale.bench.lab import BenchLab
from reference_app.contract import api, metrics
from reference_app.contract.metrics import Metric
from reference_app.kit import deciders, http, membership
from reference_app.kit.membership import Members
from reference_app.kit.ring import Ring

GROUP = "tweet-cache"
BY = "bench cache-truth"
SCRAPE_LIMIT_S = 10.0
COUNTED: Mapping[str, tuple[Metric, str]] = {
    "hits": (metrics.CACHE_READS, 'result="hit"'),
    "misses": (metrics.CACHE_READS, 'result="miss"'),
    "hot": (metrics.HOT_KEYS_SERVED, ""),
    "cold_batches_served": (metrics.COLD_BATCHES, 'result="served"'),
    "cold_batches_failed": (metrics.COLD_BATCHES, 'result="failed"'),
    "simulated_waits": (metrics.SIMULATED_COLD_STORE, 'result="waited"'),
    "simulated_refusals": (metrics.SIMULATED_COLD_STORE, 'result="refused"'),
}
"""Name -> the counter of the tweets service, and the label that tells which part of it."""
Counts = dict[str, float]


@dataclass(frozen=True)
class Newcomer:
    """A cache that joins the ring with one byte of memory: what it is given it evicts at once, or does not take."""

    lab: BenchLab
    name: str

    def starve(self) -> None:
        """Empty all tweet caches, and leave this one no memory."""
        for component in self.lab.lab.group(GROUP):
            with redis.Redis(port=component.port) as client:
                client.flushall()
                if component.name == self.name:
                    client.config_set("maxmemory", 1)

    def join(self) -> float:
        """Announce it; returns when it is in force, Unix seconds."""
        return self._change([c.name for c in self.lab.lab.group(GROUP)])

    def leave(self) -> float:
        """Announce that it goes; its keys are where they were before, and so is what they hold."""
        return self._change([c.name for c in self.lab.lab.group(GROUP) if c.name != self.name])

    def _change(self, nodes: Sequence[str]) -> float:
        names = [c.name for c in self.lab.lab.group(GROUP)]
        current = membership.members_of(self.lab.home.rings_file, GROUP, names)
        if set(current.nodes) == set(nodes):
            return current.since
        now = max(time.time(), current.since)
        home = self.lab.home
        changed: Members = membership.announce(home, GROUP, current, nodes, by=BY, now=now, guarded=membership.guarded(home))
        return changed.since


def nearest_share(reads: Mapping[int, int], names: Sequence[str], share: float) -> tuple[str, float]:
    """The cache whose part of the reads (times by tweet) in a ring of all is nearest to the share, and its part."""
    total = sum(reads.values())
    parts = {name: sum(reads[key] for key in keys) / total for name, keys in Ring(names).by_node(reads).items()}
    return min(parts.items(), key=lambda part: abs(part[1] - share))


def switch(lab: BenchLab, values: Mapping[str, int]) -> None:
    """Set deciders, and wait until every process has read them."""
    for name, value in values.items():
        deciders.write(lab.home, name, value, by=BY)
    time.sleep(2 * deciders.POLL_SECONDS)


async def counts(clients: Collection[http.Client]) -> Counts:
    """What the tweets services have counted so far, together."""
    texts = [(await client.call("GET", api.METRICS, route=api.METRICS, limit=SCRAPE_LIMIT_S)).body.decode() for client in clients]
    lines = [line for text in texts for line in text.splitlines()]
    return {name: _sum(lines, metric, label) for name, (metric, label) in COUNTED.items()}


def _sum(lines: Sequence[str], metric: Metric, label: str) -> float:
    return sum(float(line.rpartition(" ")[2]) for line in lines if line.startswith(metric.name) and label in line)
