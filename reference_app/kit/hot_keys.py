"""Hot-key promotion: what a sample shows to be read very often is kept in the process for at most 2 s (Servo's hot-key cache, detected at the server).

Only a small, changing set is held twice, so a deletion that nobody tells this process is forgotten with the entry. Detection belongs to the
server: the share of a key that each of many clients sees shrinks with their number.

A copy is read anew while it still serves: if all its readers went to the cache together whenever it expires, a cache that answers slowly would
have a queue of them each time, and never get out of it (early recomputation: Vattani et al., "Optimal Probabilistic Cache Stampede
Prevention", VLDB'15, with one reader instead of chance, since the copy is in one process).
"""

from __future__ import annotations

import time
from collections import Counter, OrderedDict
from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


@dataclass
class _Copy(Generic[V]):
    value: V
    expires: float
    renewed: float
    """When the next reader has to read it anew."""


SAMPLE = 4
"""One look-up of so many is counted, from the first on."""
WINDOW_S = 1.0
RENEWED_AFTER, RENEWED_EVERY = 0.5, 0.125
"""Shares of its time after which one reader of a copy is sent to the cache, and then another one, unless a new copy came."""


class HotKeys(Generic[K, V]):
    """At most `size` values of keys that were read more than `per_s` times a second in the last window, each for `ttl_s` seconds."""

    def __init__(self, *, per_s: float, ttl_s: float, size: int, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._per_s, self._ttl_s, self._size, self._monotonic = per_s, ttl_s, size, monotonic
        self._counted: Counter[K] = Counter()
        self._hot: frozenset[K] = frozenset()
        self._window_ends, self._lookups = monotonic() + WINDOW_S, 0
        self._copies: OrderedDict[K, _Copy[V]] = OrderedDict()

    def get(self, keys: Iterable[K]) -> dict[K, V]:
        """Values of those that are held, but for those that this reader has to read anew; and one more look-up for the detection."""
        now = self._monotonic()
        self._lookups += 1
        if self._lookups % SAMPLE == 1:
            self._counted.update(keys)
        if now >= self._window_ends:
            self._judge(now)
        if not self._copies:
            return {}
        held = {key: copy for key in keys if (copy := self._copies.get(key)) is not None}
        return {key: copy.value for key, copy in held.items() if self._serves(copy, now)}

    def offer(self, values: Mapping[K, V]) -> None:
        """Keep those of these that are hot; the longest held go first."""
        now = self._monotonic()
        for key in self._hot & values.keys() if self._hot else ():
            self._copies[key] = _Copy(values[key], now + self._ttl_s, now + RENEWED_AFTER * self._ttl_s)
            self._copies.move_to_end(key)
        while len(self._copies) > self._size:
            self._copies.popitem(last=False)

    def drop(self, keys: Iterable[K]) -> None:
        """Forget values; no error when they are not held."""
        for key in keys:
            self._copies.pop(key, None)

    def _serves(self, copy: _Copy[V], now: float) -> bool:
        if copy.renewed <= now < copy.expires:
            copy.renewed = now + RENEWED_EVERY * self._ttl_s
            return False
        return now < copy.expires

    def _judge(self, now: float) -> None:
        seconds = WINDOW_S + now - self._window_ends
        least = self._per_s * seconds / SAMPLE
        self._hot = frozenset(key for key, count in self._counted.most_common(self._size) if count >= least)
        self._counted.clear()
        self._window_ends = now + WINDOW_S
        self.drop([key for key, copy in self._copies.items() if now >= copy.expires])
