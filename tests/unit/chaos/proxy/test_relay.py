"""What a relay does to the two ends of a connection, on a clock that leaps to the next timer instead of waiting."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

from chaos.proxy.relay import Direction, Relay
from chaos.proxy.toxics import Attributes, Toxic


class Leaping(asyncio.SelectorEventLoop):
    """Whoever sleeps is woken at once, and so much later."""

    def __init__(self) -> None:
        super().__init__()
        self._at, selector = 100.0, self._selector  # type: ignore[attr-defined]
        look = selector.select

        def leap(timeout: float | None = None) -> Any:
            self._at += timeout or 0.0
            return look(0)

        selector.select = leap

    def time(self) -> float:
        return self._at


class End(asyncio.Transport):
    """One end of a connection, which notes what it is told."""

    def __init__(self) -> None:
        super().__init__()
        self.written, self.closed_at = b"", 0.0

    def write(self, data: Any) -> None:
        assert not self.closed_at
        self.written += bytes(data)

    def close(self) -> None:
        self.closed_at = self.closed_at or asyncio.get_running_loop().time()

    def is_closing(self) -> bool:
        return bool(self.closed_at)

    def pause_reading(self) -> None: ...

    def resume_reading(self) -> None: ...


class Connection:
    """A client and its upstream, joined; it began at second 100."""

    def __init__(self, *wanted: Toxic) -> None:
        self.relay = Relay(("127.0.0.1", 1), seed=1)
        self.relay.spoil(wanted)
        self.client, self.upstream = End(), End()
        there, self.back = Direction(self.relay, "upstream"), Direction(self.relay, "downstream")
        there.transport, self.back.transport = self.client, self.upstream
        there.join(self.back)
        self.back.join(there)

    async def answers(self, *chunks: bytes, every: float) -> None:
        for chunk in chunks:
            self.back.data_received(chunk)
            await asyncio.sleep(every)


def played(scene: Coroutine[Any, Any, None]) -> None:
    loop = Leaping()
    try:
        loop.run_until_complete(scene)
    finally:
        loop.close()


def test_what_is_below_the_limit_arrives_late_and_before_the_end() -> None:
    async def scene() -> None:
        late = Connection(Toxic("limit_data", attributes=Attributes(bytes=5)), Toxic("latency", attributes=Attributes(latency=200)))
        await late.answers(b"hello world", every=1)
        assert late.client.written == b"hello"
        assert round(late.client.closed_at - 100, 3) == round(late.upstream.closed_at - 100, 3) == 0.2

    played(scene())


def test_a_connection_that_a_toxic_ends_is_counted_once_however_many_chunks_came() -> None:
    async def scene() -> None:
        limited = Connection(Toxic("limit_data"), Toxic("latency", attributes=Attributes(latency=200)))
        await limited.answers(b"a", b"b", b"c", every=0.05)
        await asyncio.sleep(1)
        assert limited.relay.effect.ended == 1

    played(scene())


def test_a_connection_that_ended_by_itself_is_not_counted_as_ended_by_a_toxic() -> None:
    async def scene() -> None:
        left = Connection(Toxic("timeout", attributes=Attributes(timeout=500)))
        await left.answers(b"a", every=0.1)
        left.client.close()
        left.upstream.close()
        await asyncio.sleep(1)
        assert left.relay.effect.ended == 0

    played(scene())


def test_a_timeout_begins_anew_with_each_chunk() -> None:
    async def scene() -> None:
        silent = Connection(Toxic("timeout", attributes=Attributes(timeout=500)))
        await silent.answers(b"a", b"b", b"c", every=0.3)
        assert not silent.client.closed_at
        await asyncio.sleep(1)
        assert round(silent.client.closed_at - 100, 3) == 1.1
        assert (silent.client.written, silent.relay.effect.ended) == (b"", 1)

    played(scene())


def test_a_reset_comes_when_the_first_chunk_said() -> None:
    async def scene() -> None:
        broken = Connection(Toxic("reset_peer", attributes=Attributes(timeout=500)))
        aborted: list[float] = []
        broken.back.reset = lambda: aborted.append(broken.relay.now())  # type: ignore[method-assign]
        await broken.answers(b"a", b"b", every=0.3)
        assert [round(at - 100, 3) for at in aborted] == [0.5]

    played(scene())
