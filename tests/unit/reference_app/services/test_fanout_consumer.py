"""The consumer of fan-out as its stream fails again and again."""

from __future__ import annotations

import asyncio
import dataclasses
from types import SimpleNamespace
from typing import Any

import msgspec
import nats.errors
import pytest

from reference_app.contract import storage
from reference_app.contract.api import FollowersPage
from reference_app.contract.profile import LAB
from reference_app.contract.topology import Component
from reference_app.instrumentation.recorder import Recorder
from reference_app.kit import errors
from reference_app.kit.stream import Stream
from reference_app.services.fanout.consumer import BATCH, CONCURRENT, Consumer

COMPONENT = Component("events-0", "nats", "events", 0, 1, shard="events-0")


class Message:
    subject, headers = storage.SUBJECT_POSTED, None
    data = msgspec.json.encode(storage.TweetEvent(1, 2, 3))
    metadata = SimpleNamespace(num_delivered=1, sequence=SimpleNamespace(stream=7))

    async def ack(self) -> None: ...
    async def nak(self, delay: float) -> None: ...
    async def in_progress(self) -> None: ...


class Unheard(Message):
    """Beats do not get through for now."""

    beats = 0

    async def in_progress(self) -> None:
        self.beats += 1
        raise nats.errors.OutboundBufferLimitError


class Subscription:
    """Gives one batch; then the connection is closed, which a fetch says at once."""

    def __init__(self) -> None:
        self._batches = [[Message() for _ in range(BATCH)]]

    async def fetch(self, _batch: int, timeout: float) -> list[Message]:  # noqa: ARG002, ASYNC109 - as nats-py has it
        if not self._batches:
            raise ConnectionError("closed")
        return self._batches.pop()


class Delivery:
    delivered = 0

    async def followers(self, _user_id: int) -> FollowersPage:
        return FollowersPage([], None, 0)

    async def deliver(self, _event: object, _first: object) -> bool:
        self.delivered += 1
        await asyncio.sleep(0)
        return True


def test_a_consumer_whose_stream_fails_often_has_all_its_slots_the_next_time() -> None:
    stream = Stream(COMPONENT)
    delivery: Any = Delivery()
    tried = Consumer(stream, delivery, recorder=Recorder())

    async def fail_often() -> None:
        stream.client = stream.subscription = _subscribe  # type: ignore[assignment, method-assign]
        for _ in range(CONCURRENT // BATCH + 1):
            async with asyncio.timeout(1):
                with pytest.raises(ExceptionGroup):
                    await tried.run()

    asyncio.run(fail_often())


@pytest.mark.parametrize("dies", ["the dead letter", "the acknowledgement"])
def test_what_the_stream_cannot_be_told_of_one_event_does_not_end_the_others(dies: str) -> None:
    class Incomplete(Delivery):
        async def deliver(self, _event: object, _first: object) -> bool:
            self.delivered += 1
            return self.delivered > 1

    class Unacknowledged(Message):
        acknowledged = 0

        async def ack(self) -> None:
            type(self).acknowledged += 1
            if dies == "the acknowledgement" and self.acknowledged == 1:
                raise nats.errors.ConnectionClosedError

    class Deaf(Stream):
        async def publish(self, _subject: str, _payload: bytes, *, message_id: str) -> None:  # noqa: ARG002
            if dies == "the dead letter":
                raise errors.OutcomeUnknown("events-0", "timeout")

    consumer = Consumer(Deaf(COMPONENT), Incomplete(), recorder=Recorder())  # type: ignore[arg-type]

    async def all_of_them() -> None:
        async with asyncio.TaskGroup() as tasks:
            for _ in range(8):
                taken = await consumer._first_page(Unacknowledged())
                assert taken is not None
                await consumer._slots.acquire()
                tasks.create_task(consumer._handle(taken))

    asyncio.run(all_of_them())
    assert Unacknowledged.acknowledged == (7 if dies == "the dead letter" else 8)


def test_a_beat_that_fails_is_not_the_last_one() -> None:
    message, profile = Unheard(), dataclasses.replace(LAB, stream_ack_wait=0.004)
    beating = Consumer(Stream(COMPONENT), Delivery(), recorder=Recorder(), profile=profile)  # type: ignore[arg-type]

    async def hold() -> None:
        async with beating._beating(message):
            await asyncio.sleep(0.5)

    asyncio.run(hold())
    assert message.beats > 1


async def _subscribe(*_durable: str) -> Subscription:
    return Subscription()
