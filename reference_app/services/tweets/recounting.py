"""Repair: compares the counters with the rows that they count, slowly and for ever, and adds what is missing.

Tweets of which changes wait are left for later, and a difference is believed when it was the same a while before, so that what is on its way
is not taken for lost. The correction is an addition like any other: whatever arrives meanwhile is added too, and nothing is overwritten.
"""

from __future__ import annotations

import asyncio
import functools
import logging
import time
from collections import Counter
from collections.abc import Iterable, Sequence

from reference_app.contract import api, keyvalue, metrics
from reference_app.contract.profile import LAB, Profile
from reference_app.instrumentation.recorder import Recorder
from reference_app.kit.keyvalue import KeyValue
from reference_app.kit.shard import Shard
from reference_app.services.tweets import deltas

logger = logging.getLogger(__name__)
BATCH, CALL_SECONDS = 100, 0.5
Difference = tuple[int, int]
"""(what the rows say, what the counter says)"""


class Recounting:
    def __init__(self, shards: Sequence[Shard], counters: KeyValue, *, recorder: Recorder, profile: Profile = LAB) -> None:
        self._shards, self._counters, self._recorder, self._profile = shards, counters, recorder, profile

    async def run(self, shard: Shard) -> None:
        """In turns the newest visible tweets of the shard and the next older ones, until cancelled or until somebody does not answer."""
        older = api.MAX_ID
        while True:
            await self._look(shard, api.MAX_ID)
            older = await self._look(shard, older)

    async def _look(self, shard: Shard, before: int) -> int:
        """The id below which to go on, after a pause."""
        tweet_ids = await shard.primary.read("list_tweets", functools.partial(deltas.newest_tweets, before=before, limit=BATCH))
        if tweet_ids:
            await self._compare(tweet_ids)
        await asyncio.sleep(self._profile.recount_every)
        return tweet_ids[-1] if len(tweet_ids) == BATCH else api.MAX_ID

    async def _compare(self, tweet_ids: Sequence[int]) -> None:
        suspects = await self._differences(tweet_ids)
        if not suspects:
            return
        await asyncio.sleep(self._profile.recount_settle)
        settled = (await self._differences(tweet_ids)).items() & suspects.items()
        if settled:
            await self._correct(dict(settled))

    async def _differences(self, tweet_ids: Sequence[int]) -> dict[str, Difference]:
        """Of the tweets of which no change waits. All shards have to answer: part of a count is a wrong count."""
        parts = await asyncio.gather(
            *(shard.primary.read("count_engagement", lambda session: deltas.rows(session, tweet_ids)) for shard in self._shards)
        )
        counted: Counter[str] = Counter()
        for part in parts:
            counted.update(part.counts)
        keys = _keys(set(tweet_ids).difference(*(part.waiting for part in parts)))
        if not keys:
            return {}
        counters = (await self._counters.values(keyvalue.COUNTS, keys, limit=CALL_SECONDS)).values
        pairs = {key: (counted[key], int(counters.get(key, 0))) for key in keys}
        return {key: pair for key, pair in pairs.items() if pair[0] != pair[1]}

    async def _correct(self, settled: dict[str, Difference]) -> None:
        """Within a minute the same correction has the same name, whoever makes it."""
        minute = int(time.time()) // 60
        additions = [api.Addition(key, right - wrong, f"repair-{key}-{wrong}-{right}-{minute}") for key, (right, wrong) in settled.items()]
        await self._counters.add(keyvalue.COUNTS, additions, limit=CALL_SECONDS)
        self._recorder.count(metrics.COUNTS_REPAIRED, by=len(additions))
        logger.warning("counters put right: %s", ", ".join(f"{key} {wrong} to {right}" for key, (right, wrong) in settled.items()))


def _keys(tweet_ids: Iterable[int]) -> list[str]:
    return [make(tweet_id) for tweet_id in tweet_ids for make in (keyvalue.likes_key, keyvalue.retweets_key)]
