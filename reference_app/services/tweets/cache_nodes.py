"""What the tweet caches are asked, each node in one round trip; a node that fails has nothing, takes nothing and grants nothing."""

from __future__ import annotations

import asyncio
import contextlib
import functools
from collections.abc import Awaitable, Callable, Collection, Iterator, Mapping, Sequence
from typing import TypeVar

from redis.asyncio import Redis

from reference_app.contract import storage
from reference_app.contract.topology import Component
from reference_app.instrumentation.recorder import Recorder
from reference_app.kit import errors, lease_gets
from reference_app.kit.breaker import Breaker
from reference_app.kit.cache import Cache
from reference_app.kit.ejection import Ejection
from reference_app.kit.lease_gets import Swap
from reference_app.kit.membership import Membership
from reference_app.kit.ring import Ring

T = TypeVar("T")
Entry = tuple[bytes, int]
"""A value and the milliseconds for which it is kept."""


def marker_clients(components: Sequence[Component], recorder: Recorder) -> dict[str, Cache]:
    """Clients without breaker: a marker has to land as soon as its cache is back, not when a breaker lets a call through again."""
    return {c.name: Cache(c, observe=recorder.db_client, breaker=Breaker(enabled=lambda: False)) for c in components}


class CacheNodes:
    """The nodes of the ring, by tweet id."""

    def __init__(self, caches: Mapping[str, Cache], markers: Mapping[str, Cache], membership: Membership, ejection: Ejection) -> None:
        self._caches, self._markers, self._membership, self._ejection = caches, markers, membership, ejection

    @property
    def _ring(self) -> Ring:
        return self._ejection.without(self._membership.ring)

    async def get(self, tweet_ids: Collection[int]) -> dict[int, bytes]:
        """What is stored of these."""
        found: dict[int, bytes] = {}
        for name, group in self._ring.by_node(tweet_ids).items():
            with self._listening(name):
                values = await self._caches[name].command("MGET", *(storage.tweet_key(tweet_id) for tweet_id in group))
                found |= {tweet_id: value for tweet_id, value in zip(group, values, strict=True) if value is not None}
        return found

    async def claim(self, tweet_ids: Collection[int], *, ttl_ms: int) -> dict[int, lease_gets.Claim]:
        """As lease_gets.claim."""

        async def claim(group: Sequence[int], client: Redis) -> Sequence[lease_gets.Claim]:
            return await lease_gets.claim(client, [storage.tweet_key(i) for i in group], ttl_ms=ttl_ms)

        return await self._each("LEASE", tweet_ids, claim)

    async def swap(self, swaps: Mapping[int, Swap]) -> dict[int, bool]:
        """As lease_gets.swap."""
        return await self._each("SWAP", swaps, lambda group, client: lease_gets.swap(client, [swaps[i] for i in group]))

    async def add(self, entries: Mapping[int, Entry]) -> None:
        """Set these where nothing is."""
        await self._each("SET", entries, lambda group, client: _set(client, group, entries, only_new=True))

    async def mark(self, entries: Mapping[int, Entry]) -> bool:
        """Set these whatever is there, by clients without breaker, while the ring changes on both nodes. False when some node did not take it."""
        groups = [group for ring in map(self._ejection.without, self._membership.rings) for group in ring.by_node(entries).items()]
        return all(await asyncio.gather(*(self._mark(self._markers[name], group, entries) for name, group in groups)))

    @contextlib.contextmanager
    def _listening(self, name: str) -> Iterator[None]:
        """A node that fails has nothing, takes nothing and grants nothing."""
        try:
            yield
        except errors.CallError:
            self._ejection.heard(name, ok=False)
        else:
            self._ejection.heard(name, ok=True)

    async def _mark(self, cache: Cache, group: Sequence[int], entries: Mapping[int, Entry]) -> bool:
        try:
            await cache.run("MARK", lambda client: _set(client, group, entries, only_new=False))
        except (errors.CallError, errors.AppError):  # the latter when the request that deletes has no time left
            return False
        return True

    async def _each(
        self, operation: str, tweet_ids: Collection[int], work: Callable[[Sequence[int], Redis], Awaitable[Sequence[T]]]
    ) -> dict[int, T]:
        """Answers of the nodes that gave one, by id."""
        found: dict[int, T] = {}
        for name, group in self._ring.by_node(tweet_ids).items():
            with self._listening(name):
                found.update(zip(group, await self._caches[name].run(operation, functools.partial(work, group)), strict=True))
        return found


async def _set(client: Redis, group: Sequence[int], entries: Mapping[int, Entry], *, only_new: bool) -> Sequence[bool]:
    pipe = client.pipeline(transaction=False)
    for tweet_id in group:
        value, ttl_ms = entries[tweet_id]
        pipe.set(storage.tweet_key(tweet_id), value, px=ttl_ms, nx=only_new)
    return [bool(done) for done in await pipe.execute()]
