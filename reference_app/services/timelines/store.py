"""Timeline lists on the caches (shape: contract.storage and its scripts)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from reference_app.contract import storage
from reference_app.kit.cache import Cache, Script
from reference_app.kit.membership import Membership

REBUILD_SECONDS = 5.0
"""A rebuild that is not finished by then is forgotten: its process died."""


class Lists:
    """The user's list on the cache that the ring names."""

    def __init__(self, caches: Mapping[str, Cache], membership: Membership) -> None:
        self._caches, self._membership = caches, membership
        self._scripts = {name: Script(storage.script(name), storage.TIMELINE_EPOCH_KEY) for name in ("read", "begin", "merge")}

    async def read(self, user_id: int, *, last_index: int) -> tuple[list[int], bool] | None:
        """Ids as they lie in the list, up to `last_index` (-1: all), and whether no source was away when it was built. None on a miss. Raises CallError."""
        _, state, ids = await self._run("read", user_id, [user_id, last_index])
        return ([int(value) for value in ids], state == b"ready") if state in (b"ready", b"partial") else None

    async def begin(self, user_id: int) -> int:
        """Start a rebuild; returns the epoch that `merge` wants."""
        return int(await self._run("begin", user_id, [user_id, int(REBUILD_SECONDS * 1000)]))

    async def merge(self, user_id: int, epoch: int, ids: Sequence[int], *, ttl_s: float) -> bool:
        """Finish a rebuild; `ttl_s` 0 keeps the list. False when the list was invalidated meanwhile and nothing was stored."""
        arguments = [user_id, epoch, storage.TIMELINE_LENGTH, int(ttl_s * 1000), *ids[: storage.TIMELINE_LENGTH]]
        return bool(await self._run("merge", user_id, arguments))

    async def forget(self, user_id: int) -> None:
        """Delete the list of the current epoch."""
        cache = self._cache(user_id)
        epoch = await cache.run("GET", lambda client: client.get(storage.TIMELINE_EPOCH_KEY))
        key = storage.timeline_key(user_id, int(epoch or 0))
        await cache.run("DEL", lambda client: client.delete(key))

    async def _run(self, name: str, user_id: int, arguments: Sequence[int]) -> Any:
        return await self._cache(user_id).script(name, self._scripts[name], arguments)

    def _cache(self, user_id: int) -> Cache:
        return self._caches[self._membership.ring.node_of(user_id)]
