"""Which tweets have a word: posting lists in memory, read from the newest end (as Twitter's Earlybird), bounded by a number of tweets."""

from __future__ import annotations

import bisect
from collections.abc import Collection, Iterator


class Index:
    """At most `size` tweets; beyond them the one that came first goes."""

    def __init__(self, *, size: int) -> None:
        self._size = size
        self._words: dict[int, tuple[str, ...]] = {}
        self._postings: dict[str, list[int]] = {}
        """Ids in ascending order. They nearly always arrive so, which makes adding one an append."""

    def __len__(self) -> int:
        return len(self._words)

    def add(self, tweet_id: int, words: Collection[str]) -> None:
        """Index a tweet; one that is here already stays as it is."""
        if tweet_id in self._words:
            return
        self._words[tweet_id] = tuple(words)
        for word in words:
            bisect.insort(self._postings.setdefault(word, []), tweet_id)
        if len(self._words) > self._size:
            self.remove(next(iter(self._words)))

    def remove(self, tweet_id: int) -> None:
        """Forget a tweet; no error when it is not here."""
        for word in self._words.pop(tweet_id, ()):
            postings = self._postings[word]
            del postings[bisect.bisect_left(postings, tweet_id)]
            if not postings:
                del self._postings[word]

    def find(self, words: Collection[str], *, since: int, before: int) -> Iterator[int]:
        """Ids in [since, before) of tweets that have all of the words, newest first."""
        lists = [self._postings.get(word, []) for word in words]
        rarest = min(lists, key=len)
        for position in range(bisect.bisect_left(rarest, before) - 1, -1, -1):
            tweet_id = rarest[position]
            if tweet_id < since:
                return
            if all(word in self._words[tweet_id] for word in words):
                yield tweet_id
