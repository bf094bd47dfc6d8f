"""Timeline lists of a benchmark's lab, as they lie in its caches."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Self

import redis

from reference_app.contract import storage
from reference_app.contract.topology import Lab
from reference_app.kit.ring import Ring


class Lists:
    """Lists of users, each on the cache where the ring has it. To be used as a context manager, which closes the connections."""

    def __init__(self, lab: Lab) -> None:
        self._caches = {cache.name: redis.Redis(port=cache.port) for cache in lab.group("timeline-cache")}
        self._ring = Ring(list(self._caches))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        for client in self._caches.values():
            client.close()

    def make(self, users: Sequence[int]) -> None:
        """Empty lists that are complete."""
        for client, keys in self._keys(users):
            with client.pipeline(transaction=False) as pipeline:
                for key in keys:
                    pipeline.rpush(key, storage.TIMELINE_READY)
                pipeline.execute()

    def drop(self, user: int) -> None:
        """No list any more."""
        for client, keys in self._keys([user]):
            client.delete(*keys)

    def length(self, user: int) -> int:
        """How many ids are in the list; less than 0 when there is none."""
        ((client, (key,)),) = self._keys([user])
        return client.llen(key) - 1

    def newest(self, users: Sequence[int]) -> set[bytes]:
        """What stands first in the lists."""
        found: set[bytes] = set()
        for client, keys in self._keys(users):
            with client.pipeline(transaction=False) as pipeline:
                for key in keys:
                    pipeline.lindex(key, 0)
                found.update(pipeline.execute())
        return found

    def _keys(self, users: Sequence[int]) -> list[tuple[redis.Redis, list[str]]]:
        found = []
        for node, held in self._ring.by_node(users).items():
            client = self._caches[node]
            epoch = int(client.get(storage.TIMELINE_EPOCH_KEY) or 0)
            found.append((client, [storage.timeline_key(user, epoch) for user in held]))
        return found
