"""One process, one server: granian embedded in the loop (its CLI forks a worker that survives a kill of its parent)."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Any

import uvloop
from granian.constants import Interfaces
from granian.server.embed import Server


def serve(build: Callable[[], AbstractAsyncContextManager[Any]], port: int) -> None:
    """Open the ASGI app that `build` yields, serve it on 127.0.0.1 until SIGTERM or SIGINT, close it."""
    uvloop.run(_serve(build, port))


async def _serve(build: Callable[[], AbstractAsyncContextManager[Any]], port: int) -> None:
    async with build() as app:
        server = Server(app, address="127.0.0.1", port=port, interface=Interfaces.ASGINL, log_enabled=False, backlog=512)
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, server.stop)
        await server.serve()
