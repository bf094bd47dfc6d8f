"""Relays one listener's connections to its upstream, each direction through its toxics; what they did is counted.

A direction without toxics is a copy from one transport to the other, so that a proxy in place changes next to nothing. A toxic that comes or
goes takes effect on open connections at their next chunk, as in Toxiproxy (`toxic_collection.go`).
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import socket
import struct
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, cast

from chaos.proxy import toxics
from chaos.proxy.toxics import Ending, Link, Stream, Toxic

SO_MARK = 36
"""socket(7); Python has no name for it before 3.13."""
CONNECT_SECONDS = 5.0
TIMER_SECONDS = 0.0005
"""libuv's timers are whole milliseconds: what is due within half of one is due."""
WAITING_BYTES = 1 << 20
"""A direction stops reading while more than this waits to be handed on."""


@dataclass
class Effect:
    """What a proxy did since it was made: connections taken, refused by the upstream, ended by a toxic; chunks delayed and by how much."""

    connections: int = 0
    refused: int = 0
    ended: int = 0
    delayed: int = 0
    delay_s: float = 0.0
    swallowed_bytes: int = 0


class Direction(asyncio.Protocol):
    """One end of a connection: what arrives here goes through this direction's toxics to `peer`."""

    def __init__(self, relay: Relay, stream: Stream) -> None:
        self.transport: asyncio.Transport | None = None
        self.peer: Direction | None = None
        self._relay, self.stream = relay, stream
        self._link, self._version = Link(), -1
        self._toxics: tuple[Toxic, ...] = ()
        self._waiting: deque[toxics.Piece] = deque()
        self._waiting_bytes = 0
        self._armed = False
        self._closing: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)
        self._relay.opened(self)

    def data_received(self, data: bytes) -> None:
        if self._version != self._relay.version:
            self._draw()
        if not self._toxics and not self._waiting and self.peer is not None:
            self._hand_on(data)
        else:
            self._spoil(data)

    def eof_received(self) -> bool:
        self._end_orderly()
        return True

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's signature
        self._relay.forget(self)
        self._end_orderly()

    def pause_writing(self) -> None:
        if self.peer is not None and self.peer.transport is not None:
            self.peer.transport.pause_reading()

    def resume_writing(self) -> None:
        if self.peer is not None and self.peer.transport is not None and not self.peer.transport.is_closing():
            self.peer.transport.resume_reading()

    def join(self, peer: Direction) -> None:
        """Hand on to `peer` from now on, and what came before there was one."""
        self.peer = peer
        self._drain()

    def reset(self) -> None:
        """End both sides with RST."""
        for side in (self, self.peer):
            if side is not None and side.transport is not None:
                _linger_none(side.transport)
                side.transport.abort()

    def _draw(self) -> None:
        self._version = self._relay.version
        self._toxics = self._relay.drawn(self.stream)

    def _hand_on(self, data: bytes) -> None:
        peer = self.peer.transport if self.peer is not None else None
        if peer is not None and not peer.is_closing():
            peer.write(data)

    def _spoil(self, data: bytes) -> None:
        now, effect = self._relay.now(), self._relay.effect
        fate = toxics.fate(self._toxics, self._link, data, now=now, rng=self._relay.rng)
        effect.swallowed_bytes += len(data) - sum(len(piece) for _, piece in fate.pieces)
        if fate.pieces and (delay := fate.pieces[-1][0] - now) > 0:
            effect.delayed, effect.delay_s = effect.delayed + 1, effect.delay_s + delay
        self._waiting.extend(fate.pieces)
        self._waiting_bytes += sum(len(piece) for _, piece in fate.pieces)
        if self._waiting_bytes > WAITING_BYTES and self.transport is not None:
            self.transport.pause_reading()
        self._drain()
        if fate.ending is not None:
            timer = self._after(fate.ends_at - now, partial(self._end, fate.ending))
            if fate.ending == "close":  # each chunk puts a close off, as in Toxiproxy; a reset comes when the first one said
                if self._closing is not None:
                    self._closing.cancel()
                self._closing = timer

    def _drain(self) -> None:
        """Hand on what is due, in the order in which it came; look again when the next piece is."""
        if self.peer is None:
            return
        now = self._relay.now()
        while self._waiting and self._waiting[0][0] <= now + TIMER_SECONDS:
            _, piece = self._waiting.popleft()
            self._waiting_bytes -= len(piece)
            self._hand_on(piece)
        if self._waiting and not self._armed:
            self._armed = True
            self._after(self._waiting[0][0] - now, self._look_again)
        if self._waiting_bytes <= WAITING_BYTES and self.transport is not None and not self.transport.is_closing():
            self.transport.resume_reading()

    def _look_again(self) -> None:
        self._armed = False
        self._drain()

    def _after(self, seconds: float, action: Callable[[], None]) -> asyncio.TimerHandle:
        return asyncio.get_running_loop().call_later(max(0.0, seconds), action)

    def _end_orderly(self) -> None:
        """The peer's end comes after everything that still waits, and a slow close later."""
        still = max(0.0, self._link.last_due - self._relay.now()) if self._waiting else 0.0
        self._after(still + toxics.close_delay(self._toxics), self._end_peer)

    def _end_peer(self) -> None:
        self._drain()
        if self.peer is not None and self.peer.transport is not None:
            self.peer.transport.close()

    def _end(self, ending: Ending) -> None:
        """By a toxic, unless the connection has ended meanwhile."""
        if self.transport is None or self.transport.is_closing():
            return
        self._relay.effect.ended += 1
        if ending == "reset":
            self.reset()
            return
        self._drain()
        for side in (self, self.peer):
            if side is not None and side.transport is not None:
                side.transport.close()


class Relay:
    """One listener. `mark` is set on connections to the upstream, so that packet rules can tell them from those of clients."""

    def __init__(self, upstream: tuple[str, int], *, seed: int, mark: int = 0) -> None:
        self.effect, self.rng, self.version = Effect(), random.Random(seed), 0
        self._upstream, self._mark = upstream, mark
        self._toxics: tuple[Toxic, ...] = ()
        self._server: asyncio.Server | None = None
        self._open: set[Direction] = set()
        self._dialling: set[asyncio.Task[None]] = set()

    @property
    def listening(self) -> tuple[str, int] | None:
        """(host, port), None while it is disabled."""
        return self._server.sockets[0].getsockname()[:2] if self._server is not None else None

    def now(self) -> float:
        """Monotonic seconds of the loop."""
        return asyncio.get_running_loop().time()

    def spoil(self, wanted: Sequence[Toxic]) -> None:
        """The toxics from now on, for open connections too."""
        self._toxics, self.version = tuple(wanted), self.version + 1

    def drawn(self, stream: Stream) -> tuple[Toxic, ...]:
        """The toxics of a direction that this connection has the bad luck to meet."""
        return tuple(t for t in self._toxics if t.stream == stream and (t.toxicity >= 1 or self.rng.random() < t.toxicity))

    async def listen(self, host: str, port: int) -> None:
        """Take connections. Raises OSError when the port is taken."""
        self._server = await asyncio.get_running_loop().create_server(lambda: Direction(self, "upstream"), host, port, backlog=512)

    async def stop(self) -> None:
        """Take no more connections, and end the open ones."""
        if self._server is not None:
            self._server.close()
            self._server = None
        for side in tuple(self._open):
            if side.transport is not None:
                side.transport.abort()

    def forget(self, side: Direction) -> None:
        self._open.discard(side)

    def opened(self, side: Direction) -> None:
        """One end of a connection is there: for a client's the upstream is dialled."""
        self._open.add(side)
        if side.stream == "upstream":
            self.effect.connections += 1
            task = asyncio.create_task(self._dial(side))
            self._dialling.add(task)
            task.add_done_callback(self._dialling.discard)

    async def _dial(self, client: Direction) -> None:
        loop = asyncio.get_running_loop()
        upstream = Direction(self, "downstream")
        connection = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        connection.setblocking(False)
        try:
            if self._mark:
                connection.setsockopt(socket.SOL_SOCKET, SO_MARK, self._mark)
            async with asyncio.timeout(CONNECT_SECONDS):
                await loop.sock_connect(connection, self._upstream)
                await loop.create_connection(lambda: upstream, sock=connection)
        except (OSError, TimeoutError):
            connection.close()
            self.effect.refused += 1
            client.reset()
            return
        if client.transport is None or client.transport.is_closing():
            cast("asyncio.Transport", upstream.transport).close()
            return
        upstream.join(client)
        client.join(upstream)


def _linger_none(transport: Any) -> None:
    """The close that follows is a RST and no FIN."""
    connection = transport.get_extra_info("socket")
    with contextlib.suppress(OSError):
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
