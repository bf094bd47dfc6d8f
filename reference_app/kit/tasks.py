"""Background loops of a process: kept alive, logged when they fail, ended together."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

from reference_app.kit import errors

logger = logging.getLogger(__name__)
RETRY_SECONDS = 0.5


class Background:
    """Runs loops until `stop`. A loop that raises is logged and started again after 0.5 s: a relay must outlive its database."""

    def __init__(self) -> None:
        self._tasks: list[asyncio.Task[None]] = []

    def start(self, name: str, loop: Callable[[], Awaitable[None]]) -> None:
        """Run `loop` until `stop`, again whenever it ends."""
        self._tasks.append(asyncio.create_task(_forever(name, loop), name=name))

    async def stop(self) -> None:
        """Cancel all loops and wait for them."""
        pending = set(self._tasks)
        while pending:  # again, because a library may swallow a cancellation that meets an answer
            for task in pending:
                task.cancel()
            _, pending = await asyncio.wait(pending, timeout=0.2)


async def rest(wake: asyncio.Event, seconds: float) -> None:
    """Sleep, but not on when somebody wakes."""
    try:
        async with asyncio.timeout(seconds):
            await wake.wait()
    except TimeoutError:
        return
    wake.clear()


async def _forever(name: str, loop: Callable[[], Awaitable[None]]) -> None:
    while True:
        try:
            await loop()
        except errors.CallError as error:
            logger.warning("background loop %s waits %.1f s: %s", name, RETRY_SECONDS, error)
        except Exception:
            logger.exception("background loop %s failed; it starts again in %.1f s", name, RETRY_SECONDS)
        await asyncio.sleep(RETRY_SECONDS)
