"""Trends: hashtags that more users wrote in the last window than the time before made likely."""

from __future__ import annotations

import heapq
import math
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass

from reference_app.contract import api


@dataclass(frozen=True)
class _Use:
    user_id: int
    tags: Collection[str]


class _Window:
    """Uses of hashtags in the last `length_ms`, counted per tag and user. A tweet counts once however often it is told."""

    def __init__(self, length_ms: int, *, size: int) -> None:
        self._length_ms, self._size = length_ms, size
        self._uses: dict[int, _Use] = {}
        self._ages: list[tuple[int, int]] = []
        self.users: dict[str, Counter[int]] = {}

    def add(self, tweet_id: int, at_ms: int, use: _Use, now_ms: int) -> None:
        if tweet_id in self._uses or at_ms <= now_ms - self._length_ms:
            return
        self._uses[tweet_id] = use
        heapq.heappush(self._ages, (at_ms, tweet_id))
        for tag in use.tags:
            self.users.setdefault(tag, Counter())[use.user_id] += 1
        if len(self._ages) > self._size:
            self.remove(heapq.heappop(self._ages)[1])

    def remove(self, tweet_id: int) -> None:
        use = self._uses.pop(tweet_id, None)
        if use is not None:
            for tag in use.tags:
                self._subtract(tag, use.user_id)

    def expire(self, now_ms: int) -> None:
        while self._ages and self._ages[0][0] <= now_ms - self._length_ms:
            self.remove(heapq.heappop(self._ages)[1])

    def _subtract(self, tag: str, user_id: int) -> None:
        users = self.users[tag]
        users[user_id] -= 1
        if not users[user_id]:
            del users[user_id]
        if not users:
            del self.users[tag]


class Trends:
    """Two windows that end now, the short one within the long one. The time is given, so that it can be any."""

    def __init__(self, *, window_s: float, baseline_s: float, size: int) -> None:
        self._window_s, self._times = window_s, baseline_s / window_s - 1
        self._window, self._baseline = (_Window(int(seconds * 1000), size=size) for seconds in (window_s, baseline_s))

    def add(self, tweet_id: int, user_id: int, tags: Collection[str], *, at_ms: int, now_ms: int) -> None:
        """A tweet of that moment; one that is here already, or is too old, changes nothing."""
        if tags:
            for window in (self._window, self._baseline):
                window.expire(now_ms)
                window.add(tweet_id, at_ms, _Use(user_id, tags), now_ms)

    def remove(self, tweet_id: int) -> None:
        """A tweet was deleted."""
        self._window.remove(tweet_id)
        self._baseline.remove(tweet_id)

    def top(self, limit: int, *, now_ms: int) -> api.Trends:
        """Most unusual first; what is equally unusual by count, then by name."""
        for window in (self._window, self._baseline):
            window.expire(now_ms)
        counts = {tag: len(users) for tag, users in self._window.users.items()}
        best = heapq.nsmallest(limit, counts, key=lambda tag: (-self._surprise(tag, counts[tag]), -counts[tag], tag))
        return api.Trends([api.Trend(tag, counts[tag]) for tag in best], self._window_s)

    def _surprise(self, tag: str, count: int) -> float:
        """Standard deviations above the count that the baseline before the window predicts for a Poisson process."""
        before = max(0, len(self._baseline.users.get(tag, ())) - count)
        expected = before / self._times
        return (count - expected) / math.sqrt(expected + 1)
