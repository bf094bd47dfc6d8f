"""What caches believe of a shard that was restored: that tweets are gone, and that timelines without them are complete."""

from __future__ import annotations

from collections.abc import Sequence

import redis

from reference_app.contract import storage
from reference_app.contract.topology import Lab
from reference_app.stack import errors

_BATCH, _ANSWER_S = 1000, 5.0


def forget(lab: Lab, tweet_ids: Sequence[int]) -> None:
    """Tweet caches ask for these again, and every timeline is rebuilt at its next read. Raises StackError when a cache does not answer."""
    for cache in lab.kind("redis"):
        try:
            with redis.Redis(port=cache.port, socket_timeout=_ANSWER_S, socket_connect_timeout=_ANSWER_S) as client:
                if cache.group == "timeline-cache":
                    client.eval(storage.script("invalidate"), 1, storage.TIMELINE_EPOCH_KEY)
                else:
                    _delete(client, tweet_ids)
        except (redis.RedisError, OSError) as error:
            raise errors.StackError(f"{cache.name} does not answer, so it may call restored tweets deleted: empty it ({error})") from error


def _delete(client: redis.Redis, tweet_ids: Sequence[int]) -> None:
    for start in range(0, len(tweet_ids), _BATCH):
        client.unlink(*map(storage.tweet_key, tweet_ids[start : start + _BATCH]))
