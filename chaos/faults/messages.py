"""Messages in the event stream that are no event: whoever takes one has to put it aside, and go on."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import ClassVar, TypeVar

import nats
import nats.errors
import nats.js.errors
from nats.js import JetStreamContext

from chaos.faults.base import NotApplicableError, OnComponent, state_of
from reference_app.contract import storage
from reference_app.contract.topology import Component
from reference_app.kit.home import Home

T = TypeVar("T")
MOST_MESSAGES = 50
LOOKED_AT = 1000
"""Messages of the stream after the moment of the poisoning; ours are among the first of them."""
CONNECT_SECONDS, ANSWER_SECONDS = 1, 3.0


class PoisonMessage(OnComponent, frozen=True, tag="poison_message"):
    """So many messages in the event stream that are no event: whoever takes one can do nothing with it, ever. `since` is the last one before."""

    engine: ClassVar[str] = "messages"
    momentary: ClassVar[bool] = True

    count: int = 1
    token: str = ""
    since: int = 0

    def check(self, home: Home) -> None:
        if not 1 <= self.count <= MOST_MESSAGES:
            raise NotApplicableError(f"count is {self.count}: it has to be between 1 and {MOST_MESSAGES}")
        super().check(home)
        _require_stream(home, self.component)

    def apply(self, home: Home) -> None:
        async def publish(stream: JetStreamContext) -> None:
            for number in range(0 if self.sham else self.count):
                await stream.publish(storage.SUBJECT_POSTED, f'{{"poison": "{self.token}-{number}"}}'.encode())

        _asked(home, self.component, publish)

    def undo(self, home: Home) -> None:
        """Nobody meets it any more: what is left of it in the stream, and what became of it among the dead letters, is deleted."""

        async def delete(stream: JetStreamContext) -> None:
            for name, since in self._places:
                for number in await self._found(stream, name, since):
                    await stream.delete_msg(name, number)

        _asked(home, self.component, delete)

    def in_effect(self, home: Home) -> bool:
        return self._counted(home)[storage.STREAM] > 0

    def measured(self, home: Home) -> dict[str, float]:
        """Messages in the stream, and those that became dead letters."""
        counted = self._counted(home)
        return {"poisoned": float(counted[storage.STREAM]), "affected_operations": float(counted[storage.DEAD_LETTER_STREAM])}

    @property
    def _places(self) -> tuple[tuple[str, int], ...]:
        return (storage.STREAM, self.since), (storage.DEAD_LETTER_STREAM, -1)

    def _counted(self, home: Home) -> dict[str, int]:
        async def count(stream: JetStreamContext) -> dict[str, int]:
            return {name: len(await self._found(stream, name, since)) for name, since in self._places}

        return _asked(home, self.component, count)

    async def _found(self, stream: JetStreamContext, name: str, since: int) -> list[int]:
        """Sequence numbers of our messages; among dead letters, where `since` is -1, the latest are looked at."""
        last = (await stream.stream_info(name)).state.last_seq
        first = since + 1 if since >= 0 else max(1, last - LOOKED_AT)
        found: list[int] = []
        for number in range(first, min(last, first + LOOKED_AT) + 1):
            if len(found) < self.count and await self._is_ours(stream, name, number):
                found.append(number)
        return found

    async def _is_ours(self, stream: JetStreamContext, name: str, number: int) -> bool:
        try:
            data = (await stream.get_msg(name, number)).data or b""
        except nats.js.errors.NotFoundError:
            return False
        return f'"poison": "{self.token}-'.encode() in data


def poison(home: Home, component: str, *, count: int, token: str) -> PoisonMessage:
    """From where the stream is now. Raises NotApplicableError."""
    _require_stream(home, component)

    async def last(stream: JetStreamContext) -> int:
        return int((await stream.stream_info(storage.STREAM)).state.last_seq)

    try:
        return PoisonMessage(component, count=count, token=token, since=_asked(home, component, last))
    except (nats.errors.Error, OSError, TimeoutError) as error:
        raise NotApplicableError(f"{component} does not tell where its stream is: {error or type(error).__name__}") from error


def _require_stream(home: Home, component: str) -> None:
    state_of(home, component)
    if (kind := home.lab().component(component).kind) != "nats":
        raise NotApplicableError(f"{component} is a {kind} and no event stream")


def _asked(home: Home, component: str, ask: Callable[[JetStreamContext], Awaitable[T]]) -> T:
    async def work() -> T:
        async with asyncio.timeout(ANSWER_SECONDS), _stream(home.lab().component(component)) as stream:
            return await ask(stream)

    return asyncio.run(work())


@asynccontextmanager
async def _stream(component: Component) -> AsyncIterator[JetStreamContext]:
    client = await nats.connect(f"nats://127.0.0.1:{component.port}", connect_timeout=CONNECT_SECONDS, allow_reconnect=False)
    try:
        yield client.jetstream()
    finally:
        await client.close()
