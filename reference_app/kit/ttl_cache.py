"""A bounded in-process cache whose entries expire."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class TtlCache(Generic[K, V]):
    """Entries live `ttl_s` seconds; the oldest go first when there are more than `size`. What has expired goes with the next that comes."""

    def __init__(self, *, ttl_s: float, size: int, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._ttl_s, self._size, self._monotonic = ttl_s, size, monotonic
        self._entries: OrderedDict[K, tuple[float, V]] = OrderedDict()

    def get(self, key: K) -> V | None:
        """The value, None when it is absent or expired."""
        entry = self._entries.get(key)
        return entry[1] if entry is not None and self._monotonic() < entry[0] else None

    def __len__(self) -> int:
        return len(self._entries)

    def put(self, key: K, value: V) -> None:
        """Keep a value from now on."""
        now = self._monotonic()
        self._entries.pop(key, None)
        self._entries[key] = (now + self._ttl_s, value)
        while len(self._entries) > self._size or next(iter(self._entries.values()))[0] <= now:
            self._entries.popitem(last=False)

    def drop(self, key: K) -> None:
        """Forget a value; no error when it is absent."""
        self._entries.pop(key, None)
