"""Reads home timelines raw from the caches: a read through the API would rebuild the list that is to be inspected."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import redis.asyncio
import redis.exceptions
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from chaos.audit.model import ObservedTimeline
from reference_app.contract import storage
from reference_app.contract.topology import Component, Lab
from reference_app.kit import membership
from reference_app.kit.home import Home

CONNECT_S, READ_S = 1.0, 5.0
_LISTS_PER_ROUND_TRIP = 100


@dataclass(frozen=True)
class Reading:
    """Timelines of the users whose cache could be read; `reasons` name the other caches."""

    timelines: Mapping[int, ObservedTimeline]
    reasons: tuple[str, ...]


async def read(lab: Lab, users: Collection[int], *, since_id: int) -> Reading:
    """The lists of these users, each on the cache that the ring places it on. Ids below `since_id` are only counted."""
    caches = lab.group("timeline-cache")
    ring = membership.Membership(Home(Path(lab.home)).rings_file, "timeline-cache", [cache.name for cache in caches]).ring
    placed = ring.by_node(sorted(users))
    results = await asyncio.gather(*(_read_cache(cache, placed[cache.name], since_id=since_id) for cache in caches if cache.name in placed))
    found = {timeline.user_id: timeline for result in results if not isinstance(result, str) for timeline in result}
    return Reading(found, tuple(result for result in results if isinstance(result, str)))


async def _read_cache(cache: Component, users: Sequence[int], *, since_id: int) -> list[ObservedTimeline] | str:
    """The lists, or a sentence that says why there are none."""
    client = redis.asyncio.Redis(
        host="127.0.0.1", port=cache.port, socket_connect_timeout=CONNECT_S, socket_timeout=READ_S, retry=Retry(NoBackoff(), 0)
    )
    try:
        async with client:
            epoch = int(await client.get(storage.TIMELINE_EPOCH_KEY) or 0)
            return [
                _timeline(user, epoch, elements, since_id=since_id)
                for start in range(0, len(users), _LISTS_PER_ROUND_TRIP)
                for user, elements in await _lists(client, users[start : start + _LISTS_PER_ROUND_TRIP], epoch)
            ]
    except (redis.exceptions.RedisError, OSError) as error:
        return f"{cache.name} was not read: {error}"


async def _lists(client: redis.asyncio.Redis, users: Sequence[int], epoch: int) -> list[tuple[int, list[bytes]]]:
    async with client.pipeline(transaction=False) as pipeline:
        for user in users:
            pipeline.lrange(storage.timeline_key(user, epoch), 0, -1)
        return list(zip(users, await pipeline.execute(), strict=True))


def _timeline(user: int, epoch: int, elements: Sequence[bytes], *, since_id: int) -> ObservedTimeline:
    sentinels = {element.encode() for element in (storage.TIMELINE_READY, storage.TIMELINE_BUILDING)}
    ids = sorted({int(element) for element in elements if element not in sentinels}, reverse=True)
    return ObservedTimeline(
        user_id=user,
        epoch=epoch,
        state=_state(elements),
        ids=frozenset(tweet_id for tweet_id in ids if tweet_id >= since_id),
        length=len(ids),
        oldest_id=min(ids[: storage.TIMELINE_LENGTH], default=0),
    )


def _state(elements: Sequence[bytes]) -> Literal["ready", "building", "absent"]:
    if not elements:
        return "absent"
    return "ready" if elements[-1].decode() == storage.TIMELINE_READY else "building"
