"""Tells the other processes of the lab which traces are worth keeping, and hears it from them: core NATS, nobody waits, nothing is stored."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from typing import Any

import msgspec
import nats.errors

from reference_app.contract import metrics
from reference_app.contract.spans import EDGE_CASES_SUBJECT, EdgeCase
from reference_app.instrumentation.recorder import Recorder
from reference_app.kit.deciders import OFF, Deciders
from reference_app.kit.settings import Settings
from reference_app.kit.stream import Stream
from reference_app.kit.tasks import Background

DECIDER = "hindsight"
EVERY_SECONDS = 0.1


class Announcing:
    """Of one process. In a lab without a stream edge cases are known where they were met, and nowhere else."""

    def __init__(self, recorder: Recorder, deciders: Deciders) -> None:
        self._recorder, self._deciders = recorder, deciders
        self._client: Any = None

    async def tell(self) -> None:
        """Announce what was met, ten times a second, until cancelled. Whom the announcement does not reach at once it never reaches."""
        edge_cases = self._recorder.edge_cases
        while True:
            self._recorder.hindsight(on=self._deciders.value(DECIDER) > OFF)
            edge_cases.forget_old()
            if met := edge_cases.take_unannounced():
                fate = "announced" if await self._sent(met) else "lost"
                for case in met:
                    self._recorder.count(metrics.EDGE_CASES, case.reason, fate)
            await asyncio.sleep(EVERY_SECONDS)

    async def listen(self, stream: Stream) -> None:
        """Hear what others met until cancelled. Raises CallError when the server is away; it is reconnected to when it was there once."""
        client = await stream.client()
        await client.subscribe(EDGE_CASES_SUBJECT, cb=self._heard)
        self._client = client
        await asyncio.Event().wait()

    async def _heard(self, message: Any) -> None:
        for case in msgspec.json.decode(message.data, type=list[EdgeCase]):
            self._recorder.edge_cases.announced(case)

    async def _sent(self, met: Sequence[EdgeCase]) -> bool:
        if self._client is None or not self._client.is_connected:
            return False
        try:
            await self._client.publish(EDGE_CASES_SUBJECT, msgspec.json.encode(met))
        except (nats.errors.Error, OSError):
            return False
        return True


@contextlib.asynccontextmanager
async def announcing(settings: Settings, recorder: Recorder) -> AsyncIterator[None]:
    """Announce and listen while this is open, in a process that exports spans."""
    if settings.component.kind != "service":
        yield
        return
    background, servers = Background(), settings.lab.kind("nats")
    stream = Stream(servers[0]) if servers else None
    exchange = Announcing(recorder, Deciders(settings.home.deciders_file))
    background.start("edge-cases-tell", exchange.tell)
    if stream is not None:
        background.start("edge-cases-listen", lambda: exchange.listen(stream))
    try:
        yield
    finally:
        await background.stop()
        if stream is not None:
            await stream.close()
