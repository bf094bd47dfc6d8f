"""One process, one loop, one server: uvicorn inside uvloop (docs/adr/0002), with a protocol of our own (docs/adr/0014)."""

from __future__ import annotations

import gc
import signal
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Any

import uvicorn
import uvloop
from uvicorn.server import HANDLED_SIGNALS

from reference_app.kit import protocol

GRACE_SECONDS = 2


def serve(build: Callable[[], AbstractAsyncContextManager[Any]], port: int) -> None:
    """Open the ASGI app that `build` yields, serve it on 127.0.0.1 until SIGTERM or SIGINT, close it."""
    uvloop.run(_serve(build, port))


async def _serve(build: Callable[[], AbstractAsyncContextManager[Any]], port: int) -> None:
    async with build() as app:
        config = uvicorn.Config(
            app, host="127.0.0.1", port=port, http=protocol.HttpProtocol, ws="none", lifespan="off", log_config=None, access_log=False,
            server_header=False, date_header=False, proxy_headers=False, backlog=512, timeout_graceful_shutdown=GRACE_SECONDS,
        )  # fmt: skip
        for number in HANDLED_SIGNALS:  # uvicorn raises the one that ended it again, which would end the process before `build` closes
            signal.signal(number, signal.SIG_IGN)
        gc.collect()
        gc.freeze()  # what is there now stays to the end: a full collection takes 27 ms less when it need not look at it
        await uvicorn.Server(config).serve()
