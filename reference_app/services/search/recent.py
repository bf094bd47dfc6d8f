"""What search knows of the last hour: built from events, which may come twice, late, or a deletion before its post."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable

from reference_app.contract import api, ids, storage
from reference_app.contract.profile import LAB, Profile
from reference_app.services.search import domain
from reference_app.services.search.index import Index
from reference_app.services.search.trends import Trends

SIZE = 200_000
"""Tweets held at most, and deletions remembered: a bound of memory (about 1 KB each). The lab posts some 60,000 in what the stream keeps."""


class Recent:
    """Tweets are found for as long as the stream keeps them, so that all instances know the same however long they run."""

    def __init__(self, *, size: int = SIZE, profile: Profile = LAB, now: Callable[[], float] = time.time) -> None:
        self._size, self._now = size, now
        self._index = Index(size=size)
        self._trends = Trends(window_s=profile.trends_window, baseline_s=profile.trends_baseline, size=size)
        self._deleted: dict[int, None] = {}

    def __len__(self) -> int:
        return len(self._index)

    def posted(self, event: storage.TweetEvent) -> None:
        """A retweet has no text of its own and is not found."""
        if event.text and event.tweet_id not in self._deleted:
            self._index.add(event.tweet_id, domain.words(event.text))
            self._trends.add(event.tweet_id, event.user_id, domain.hashtags(event.text), at_ms=event.acknowledged_ms, now_ms=self._now_ms())

    def deleted(self, event: storage.TweetEvent) -> None:
        """Gone at once, and for good."""
        self._deleted[event.tweet_id] = None
        if len(self._deleted) > self._size:
            del self._deleted[next(iter(self._deleted))]
        self._index.remove(event.tweet_id)
        self._trends.remove(event.tweet_id)

    def search(self, query: str, *, limit: int, before: int) -> list[int]:
        """Newest ids below `before` of tweets that have all words. Raises AppError invalid when the query has none."""
        since = ids.first_id_at(self._now_ms() - storage.MESSAGE_KEEP_S * 1000)
        return list(itertools.islice(self._index.find(domain.query_words(query), since=since, before=before), limit))

    def trends(self, limit: int) -> api.Trends:
        """Most unusual first."""
        return self._trends.top(limit, now_ms=self._now_ms())

    def _now_ms(self) -> int:
        return int(self._now() * 1000)
