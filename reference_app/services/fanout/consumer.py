"""Takes events from the stream: small fan-outs first, many side by side, each held by in-progress beats until it is done."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import logging
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from typing import Any

import msgspec
import nats.errors

from reference_app.contract import metrics, storage
from reference_app.contract.api import FollowersPage
from reference_app.contract.profile import LAB, Profile
from reference_app.instrumentation.recorder import Recorder
from reference_app.kit import errors, stream
from reference_app.kit.stream import Stream
from reference_app.services.fanout import domain
from reference_app.services.fanout.delivery import Delivery

logger = logging.getLogger(__name__)
BATCH, FETCH_SECONDS = 64, 1.0
CONCURRENT = 512
"""Deliveries under way: those to a dead cache wait in here while the others pass."""
LARGE_CONCURRENT = 8
"""Of these, deliveries to more than one page of followers, so that neither the graph nor the caches are taken up by them."""
MAX_DELIVERIES = 50
"""Deliveries of an event whose author's followers could not be asked for, 1 s apart, before it becomes a dead letter."""


@dataclass(frozen=True)
class _Taken:
    """An event in work: its author's first followers, and the moment at which that began, in the context of its trace."""

    message: Any
    event: storage.TweetEvent
    first: FollowersPage
    started: float
    context: contextvars.Context


class Consumer:
    """Acknowledges an event only when every follower's cache has it, or has been told to forget."""

    def __init__(self, stream: Stream, delivery: Delivery, *, recorder: Recorder, profile: Profile = LAB) -> None:
        self._stream, self._delivery, self._recorder, self._profile = stream, delivery, recorder, profile
        self._slots, self._large_slots = asyncio.Semaphore(CONCURRENT), asyncio.Semaphore(LARGE_CONCURRENT)

    async def run(self) -> None:
        """Consume until cancelled. A stream that is gone is waited for: whoever makes it anew has to publish again, and that is the relay."""
        self._slots = asyncio.Semaphore(CONCURRENT)  # nothing is under way; what was cancelled before it began gave back no slot
        await self._stream.client()
        subscription = await self._stream.subscription(storage.FANOUT_CONSUMER)
        async with asyncio.TaskGroup() as tasks:
            while True:
                for taken in await self._batch(subscription):
                    await self._slots.acquire()
                    tasks.create_task(self._handle(taken), context=taken.context)

    async def _batch(self, subscription: Any) -> list[_Taken]:
        messages = await self._fetch(subscription)
        first_pages = await asyncio.gather(*(self._first_page(message) for message in messages))
        ready = [item for item in first_pages if item is not None]
        return sorted(ready, key=lambda taken: domain.turn(taken.first, taken.event.tweet_id))

    async def _fetch(self, subscription: Any) -> list[Any]:
        started = time.perf_counter()
        try:
            messages: list[Any] = await subscription.fetch(BATCH, timeout=FETCH_SECONDS)
        except (TimeoutError, nats.errors.TimeoutError):
            await self._stream.require_consumer(storage.FANOUT_CONSUMER)
            return []
        self._recorder.stream_client(self._stream.peer, "fetch", "ok", time.perf_counter() - started)
        return messages

    async def _first_page(self, message: Any) -> _Taken | None:
        stream.enter(message)
        started = time.perf_counter()
        try:
            event = msgspec.json.decode(message.data, type=storage.TweetEvent)
        except msgspec.DecodeError as error:
            await self._bury(message, error)
            return None
        try:
            first = await self._delivery.followers(event.user_id)
        except (errors.CallError, errors.AppError) as error:
            await self._put_back(message, error)
            seconds = time.perf_counter() - started
            self._recorder.consumed(self._stream.peer, message.subject, _reason(error), seconds, tweet_id=event.tweet_id)
            return None
        return _Taken(message, event, first, started, contextvars.copy_context())

    async def _handle(self, taken: _Taken) -> None:
        outcome = "abandoned"
        try:
            async with self._beating(taken.message), self._turn(taken):
                complete = await self._delivery.deliver(taken.event, taken.first)
            if not complete:
                await self._dead_letter(taken.message)
            with _or_it_comes_again(taken.message):
                await taken.message.ack()
            outcome = "ok"
        except (errors.CallError, errors.AppError) as error:
            outcome = _reason(error)
            await self._put_back(taken.message, error)
        finally:
            self._slots.release()
            seconds = time.perf_counter() - taken.started
            self._recorder.consumed(self._stream.peer, taken.message.subject, outcome, seconds, tweet_id=taken.event.tweet_id)

    def _turn(self, taken: _Taken) -> contextlib.AbstractAsyncContextManager[object]:
        return contextlib.nullcontext() if taken.first.next_after is None else self._large_slots

    async def _put_back(self, message: Any, error: Exception) -> None:
        with _or_it_comes_again(message):
            if message.metadata.num_delivered < MAX_DELIVERIES:
                await message.nak(delay=1)
                return
            logger.error("event %s exhausted its deliveries: %s", message.data, error)
            await self._dead_letter(message)
            await message.ack()

    async def _bury(self, message: Any, error: Exception) -> None:
        """What is no event today will be none at its fiftieth delivery, and all that came with it would wait for that."""
        logger.error("message %s is no event: %s", message.data, error)
        with _or_it_comes_again(message):
            await self._dead_letter(message)
            await message.ack()

    async def _dead_letter(self, message: Any) -> None:
        identifier = f"dead-{message.metadata.sequence.stream}"
        await self._stream.publish(storage.DEAD_LETTER_SUBJECT, message.data, message_id=identifier)
        self._recorder.count(metrics.DEAD_LETTERS)

    @contextlib.asynccontextmanager
    async def _beating(self, message: Any) -> AsyncIterator[None]:
        async def beat() -> None:
            while True:
                await asyncio.sleep(self._profile.stream_ack_wait / 4)
                with contextlib.suppress(nats.errors.Error):  # a beat that is lost must not be the last one
                    await message.in_progress()

        beats = asyncio.create_task(beat())
        try:
            yield
        finally:
            beats.cancel()


@contextlib.contextmanager
def _or_it_comes_again(message: Any) -> Iterator[None]:
    """A stream that cannot be told what became of a message delivers it again by itself; the others under way are not to suffer for it."""
    try:
        yield
    except (errors.CallError, nats.errors.Error) as error:
        logger.warning("the stream could not be told of event %d: %s", message.metadata.sequence.stream, error)


def _reason(error: errors.CallError | errors.AppError) -> str:
    return error.outcome if isinstance(error, errors.CallError) else error.code
