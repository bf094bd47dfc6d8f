"""Waits until components answer their question, with a short way out when a process keeps dying."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence

from reference_app.contract.topology import Component
from reference_app.stack import errors
from reference_app.stack.questions import Answer

Ask = Callable[[Component], Awaitable[Answer]]

_PERIOD_S = 0.05
_EXITED_S = 1.5
"""A crash is restarted within a second; who is down for longer than this has died twice."""


async def unanswered(components: Sequence[Component], ask: Ask) -> dict[str, str]:
    """Component -> what was wrong, for those without a right answer."""
    answers = await asyncio.gather(*(ask(c) for c in components))
    return {c.name: answer.detail for c, answer in zip(components, answers, strict=True) if not answer.ok}


async def wait(components: Sequence[Component], ask: Ask, exited: Callable[[], set[str]], *, timeout_s: float) -> None:
    """Raises NotReadyError naming who does not answer after `timeout_s`, or who has been down for a while before that."""
    deadline = time.monotonic() + timeout_s
    exited_since: dict[str, float] = {}
    waiting = list(components)
    while waiting:
        wrong = await unanswered(waiting, ask)
        waiting = [c for c in waiting if c.name in wrong]
        down, now = exited() & wrong.keys() if waiting else set(), time.monotonic()
        exited_since = {name: exited_since.get(name, now) for name in down}
        dying = {name for name, since in exited_since.items() if now - since > _EXITED_S}
        if dying or (waiting and now >= deadline):
            raise errors.NotReadyError([errors.NotReady(name, "it keeps exiting" if name in dying else wrong[name]) for name in wrong])
        if waiting:
            await asyncio.sleep(_PERIOD_S)
