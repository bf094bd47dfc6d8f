"""Hot-key promotion: what a sample shows to be read very often is kept in the process for at most 2 s (Servo's hot-key cache, detected at the server).

Only a small, changing set is held twice, so a deletion that nobody tells this process is forgotten with the entry. Detection belongs to the
server: the share of a key that each of many clients sees shrinks with their number.
"""

from __future__ import annotations

import time
from collections import Counter, OrderedDict
from collections.abc import Callable, Hashable, Iterable, Mapping
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")
SAMPLE = 4
"""One look-up of so many is counted, from the first on."""
WINDOW_S = 1.0


class HotKeys(Generic[K, V]):
    """At most `size` values of keys that were read more than `per_s` times a second in the last window, each for `ttl_s` seconds."""

    def __init__(self, *, per_s: float, ttl_s: float, size: int, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._per_s, self._ttl_s, self._size, self._monotonic = per_s, ttl_s, size, monotonic
        self._counted: Counter[K] = Counter()
        self._hot: frozenset[K] = frozenset()
        self._window_ends, self._lookups = monotonic() + WINDOW_S, 0
        self._values: OrderedDict[K, tuple[float, V]] = OrderedDict()

    def get(self, keys: Iterable[K]) -> dict[K, V]:
        """Values of those that are held, and one more look-up for the detection."""
        now = self._monotonic()
        self._lookups += 1
        if self._lookups % SAMPLE == 1:
            self._counted.update(keys)
        if now >= self._window_ends:
            self._judge(now)
        if not self._values:
            return {}
        held = {key: entry for key in keys if (entry := self._values.get(key)) is not None}
        return {key: value for key, (expires, value) in held.items() if now < expires}

    def offer(self, values: Mapping[K, V]) -> None:
        """Keep those of these that are hot; the longest held go first."""
        expires = self._monotonic() + self._ttl_s
        for key in self._hot & values.keys() if self._hot else ():
            self._values[key] = (expires, values[key])
            self._values.move_to_end(key)
        while len(self._values) > self._size:
            self._values.popitem(last=False)

    def drop(self, keys: Iterable[K]) -> None:
        """Forget values; no error when they are not held."""
        for key in keys:
            self._values.pop(key, None)

    def _judge(self, now: float) -> None:
        seconds = WINDOW_S + now - self._window_ends
        least = self._per_s * seconds / SAMPLE
        self._hot = frozenset(key for key, count in self._counted.most_common(self._size) if count >= least)
        self._counted.clear()
        self._window_ends = now + WINDOW_S
        self.drop([key for key, (expires, _) in self._values.items() if now >= expires])
