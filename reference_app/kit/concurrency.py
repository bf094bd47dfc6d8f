"""Server concurrency limit: so many requests are worked on, so many more wait in line, the next one gets a nack (finagle `RequestSemaphoreFilter`).

A nack says that nothing was done: whoever gets one may ask another instance at once.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable

from reference_app.kit import deadline, errors

WAIT_SECONDS = 5.0
"""In line, at most, of a request that brings no deadline."""


class ConcurrencyLimit:
    """`running` says how many may be worked on now, `waiting` how many may wait. First come, first served."""

    def __init__(self, *, running: Callable[[], int], waiting: int) -> None:
        self._limit, self._waiting_max = running, waiting
        self._running = 0
        self._line: deque[asyncio.Future[None]] = deque()

    @property
    def waiting(self) -> int:
        """Requests in line."""
        return len(self._line)

    def enter(self) -> bool:
        """Begin at once, if there is room. True must be followed by `leave`."""
        if self._running < self._limit():
            self._running += 1
            return True
        return False

    async def wait(self, *, at_most: float | None = None) -> None:
        """Wait in line, until the deadline or `at_most` seconds whatever the deadline; then `leave` must follow.

        Raises AppError: overloaded, a nack, when the line is full; deadline_exceeded when it took too long.
        """
        if len(self._line) >= self._waiting_max:
            raise errors.AppError("overloaded", "too many requests are under way here: ask elsewhere or later", retry_after=1, nack=True)
        turn = asyncio.get_running_loop().create_future()
        self._line.append(turn)
        try:
            async with asyncio.timeout(min(deadline.left(), WAIT_SECONDS) if at_most is None else at_most):
                await turn
        except TimeoutError:
            self._leave_line(turn)
            raise errors.AppError("deadline_exceeded", "the caller's deadline passed while the request waited in line") from None
        except BaseException:
            self._leave_line(turn)
            raise

    def leave(self) -> None:
        """A request is done: the next in line begins."""
        self._running -= 1
        while self._line and self._running < self._limit():
            turn = self._line.popleft()
            if not turn.done():
                self._running += 1
                turn.set_result(None)

    def _leave_line(self, turn: asyncio.Future[None]) -> None:
        if turn in self._line:
            self._line.remove(turn)
        elif turn.done() and not turn.cancelled():
            self.leave()
