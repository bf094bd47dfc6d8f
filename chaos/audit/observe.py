"""Collects the state that an audit compares with the history: rows, follow edges, timelines and what is still under way."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterable, Mapping

import nats
import nats.errors

from chaos.audit import databases, timelines
from chaos.audit.model import Observed, ObservedShard
from reference_app.contract import ids, storage
from reference_app.contract.topology import Lab

CLOCK_MARGIN_S = 1.0
"""Ids are made of a millisecond clock that may be a little behind the load generator's."""
_STREAM_S = 2.0


def observe(lab: Lab, *, since: float, authors: Collection[int], celebrity_over: int) -> Observed:
    """The state of the lab now; `since` is when the run started (Unix seconds), `authors` are those whose deliveries count.

    Authors with more followers than `celebrity_over` are left out: fan-out need not have pushed their tweets. When the threshold rose during
    the run, all lists were rebuilt then; so the value in force tells.
    What cannot be read is left out and named in the result; this never raises for a sick component.
    """
    since_id = ids.first_id_at(int((since - CLOCK_MARGIN_S) * 1000))
    return asyncio.run(_observe(lab, since_id=since_id, authors=authors, celebrity_over=celebrity_over))


async def _observe(lab: Lab, *, since_id: int, authors: Collection[int], celebrity_over: int) -> Observed:
    """Rows before lists, and the backlog between them: a tweet that is seen as a row and not as backlog must be on the lists."""
    shards = await _shards(lab, since_id=since_id)
    pending, stream_reason = await _stream_pending(lab)
    followers, graph_reason = await _followers(lab, authors, celebrity_over)
    reasons = [reason for reason in (stream_reason, graph_reason) if reason]
    if followers is None:
        return Observed(shards, None, None, pending, tuple(reasons))
    reading = await timelines.read(lab, set().union(*followers.values()), since_id=since_id)
    return Observed(shards, followers, reading.timelines, pending, (*reasons, *reading.reasons))


async def _shards(lab: Lab, *, since_id: int) -> tuple[ObservedShard, ...]:
    indexes: Iterable[int] = sorted({component.index for component in lab.group("tweets-db")})
    return tuple(await asyncio.gather(*(databases.shard(lab, index, since_id=since_id) for index in indexes)))


async def _followers(lab: Lab, authors: Collection[int], celebrity_over: int) -> tuple[Mapping[int, frozenset[int]] | None, str]:
    try:
        found = await databases.followers(lab, authors)
    except (databases.UnreadableError, databases.UntrustedError) as error:
        return None, f"follow edges were not read: {error}"
    return {author: followers for author, followers in found.items() if len(followers) <= celebrity_over}, ""


async def _stream_pending(lab: Lab) -> tuple[int | None, str]:
    """Events that fan-out has not finished: not taken yet, or taken and not acknowledged."""
    stream = lab.group("events")[0]
    try:
        async with asyncio.timeout(_STREAM_S):
            client = await nats.connect(f"nats://127.0.0.1:{stream.port}", allow_reconnect=False, error_cb=_untold)
            try:
                consumer = await client.jetstream().consumer_info(storage.STREAM, storage.FANOUT_CONSUMER)
            finally:
                await client.close()
    except TimeoutError:
        return None, f"the backlog of {stream.name} was not read: no answer within {_STREAM_S:g} s"
    except (nats.errors.Error, OSError) as error:
        return None, f"the backlog of {stream.name} was not read: {error}"
    return (consumer.num_pending or 0) + (consumer.num_ack_pending or 0), ""


async def _untold(_error: Exception) -> None:
    """The client's own report, a stack trace in the log; what matters is raised as well."""
