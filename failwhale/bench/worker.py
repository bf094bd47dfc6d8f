"""The delivery of the fan-out service in the benchmark's process, over one cache, as the service's own consumer drives it.

What a tweet costs here: its event is decoded, the trace it carries is entered, the page of followers is decoded as the graph service sends
it, the ring places the followers, their lists are pushed to by script calls that are measured, and the metrics of a delivery are counted.
What the service does besides: a fetch and an acknowledgement of the stream, and one request to the graph, for each tweet.
"""

from __future__ import annotations

import asyncio
import itertools
import random
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Self

import msgspec
import redis
import uvloop

from failwhale.bench.redis_server import RedisServer
from reference_app.contract import storage
from reference_app.contract.api import FollowersPage
from reference_app.contract.topology import Component, Lab
from reference_app.instrumentation import clients
from reference_app.instrumentation.recorder import Recorder
from reference_app.kit import tracing
from reference_app.kit.deciders import Deciders
from reference_app.kit.failpoints import Failpoints
from reference_app.services.fanout import consumer, domain
from reference_app.services.fanout.delivery import Delivery
from reference_app.stack.errors import StackError

FIRST_ID = 2_100_000_000_000_000_000
"""Of a tweet; ids are as long as in use."""
NOWHERE = Path("/nonexistent")
"""Home of a process without a lab: all deciders have their defaults."""
UNASKED = Component("graph-0", "service", "graph", 0, 1, shard="graph-0")
"""All followers are on the first page, so nobody asks for another."""
TRACEPARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00"
"""Not sampled, as most."""
_FILL = """
local ids = {}
for n = 1, tonumber(ARGV[3]) do ids[n] = string.format('%s%06d', ARGV[4], tonumber(ARGV[3]) - n) end
ids[#ids + 1] = '0'
for user = tonumber(ARGV[1]), tonumber(ARGV[2]) do redis.call('RPUSH', 'tl:0:' .. user, unpack(ids)) end
"""
_FILLED_AT_ONCE = 20_000


class Worker:
    """Delivers made-up tweets. To be used as a context manager, which closes its connections."""

    def __init__(self, server: RedisServer) -> None:
        self._server, self._runner = server, asyncio.Runner(loop_factory=uvloop.new_event_loop)
        self._ids = itertools.count(FIRST_ID + 10**9)
        recorder, deciders, failpoints = Recorder(), Deciders(NOWHERE / "deciders.json"), Failpoints(NOWHERE / "failpoints.json")
        lab = Lab(str(NOWHERE), "", 0, (server.component, UNASKED), signing_key="", supervisor_password="")
        self._caches = clients.caches(lab, server.component.group, recorder, deciders)
        self._membership = clients.membership(lab, server.component.group, recorder)
        graph = clients.services(lab, UNASKED.group, recorder, deciders)
        self._delivery = Delivery(self._caches, self._membership, graph, deciders=deciders, failpoints=failpoints, recorder=recorder)

    def fill(self, users: int, *, length: int) -> None:
        """Lists of `length` ids for the users 1 to `users`, who are placed already, and nothing else in the cache."""
        self._membership.ring.by_node(range(1, users + 1))
        with redis.Redis(port=self._server.port) as client:
            client.flushall()
            for start in range(1, users + 1, _FILLED_AT_ONCE):
                last = min(users, start + _FILLED_AT_ONCE - 1)
                client.eval(_FILL, 0, start, last, length, FIRST_ID // 10**6)

    def deliver(self, pages: Sequence[bytes]) -> int:
        """One tweet to the followers on each page; as many at once as the consumer takes from the stream. Returns the deliveries."""
        return self._runner.run(self._deliver(pages))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        for cache in self._caches.values():
            self._runner.run(cache.close())
        self._runner.close()

    async def _deliver(self, pages: Sequence[bytes]) -> int:
        now = int(time.time() * 1000)
        events = [msgspec.json.encode(storage.TweetEvent(next(self._ids), 1, now, "made up, and not read by anybody")) for _ in pages]
        done = 0
        for start in range(0, len(pages), consumer.BATCH):
            batch = slice(start, start + consumer.BATCH)
            done += sum(await asyncio.gather(*map(self._one, events[batch], pages[batch])))
        return done

    async def _one(self, event: bytes, page: bytes) -> int:
        tracing.enter(tracing.parse(TRACEPARENT))
        first = msgspec.json.decode(page, type=FollowersPage)
        if not await self._delivery.deliver(msgspec.json.decode(event, type=storage.TweetEvent), first):
            raise StackError("the benchmark's cache did not answer for 10 s: is this machine busy with other things?")
        return len(first.ids)


def page_of(users: Sequence[int]) -> bytes:
    """A page of followers as the graph service sends it, without a next one."""
    return msgspec.json.encode(FollowersPage(list(users), None, len(users)))


def random_pages(users: int, count: int, *, rng: random.Random) -> list[bytes]:
    """Followers drawn from the users 1 to `users`, a full page each, or all of them where there are less."""
    size = min(users, domain.PAGE)
    return [page_of(sorted(rng.sample(range(1, users + 1), size))) for _ in range(count)]
