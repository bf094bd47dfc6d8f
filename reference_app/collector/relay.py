"""Passes batches on, unchanged, to the backend that the standard OTEL_EXPORTER_OTLP_* variables name. A backend that hangs delays nobody."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from urllib.parse import unquote

import httpx

from reference_app.collector.otlp import Coding
from reference_app.contract import metrics
from reference_app.contract.spans import OTLP_TRACES
from reference_app.instrumentation.recorder import Recorder
from reference_app.kit import addresses

logger = logging.getLogger(__name__)
TIMEOUT_SECONDS = 2.0
BATCHES_MAX = 64
"""Batches that may wait for the backend; one more is given up."""


@dataclass(frozen=True)
class Backend:
    """Where batches go: the whole URL, and headers to send along."""

    url: str
    headers: dict[str, str]


@dataclass(frozen=True)
class Batch:
    """A request as it came."""

    body: bytes
    coding: Coding
    spans: int


def backend(environment: Mapping[str, str], own_port: int) -> Backend | None:
    """The configured backend, None when there is none or when it is this collector itself."""
    base = environment.get("OTEL_EXPORTER_OTLP_ENDPOINT", "")
    url = environment.get("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "") or (base and base.rstrip("/") + OTLP_TRACES)
    if not url:
        return None
    parts = addresses.web(url)
    if parts is None:
        raise SystemExit(f"the OTLP endpoint {url!r} is no http or https URL: correct OTEL_EXPORTER_OTLP_TRACES_ENDPOINT or unset it")
    if parts.hostname in ("127.0.0.1", "localhost", "::1") and parts.port == own_port:
        logger.warning("the OTLP endpoint %s is this collector: nothing is relayed", url)
        return None
    pairs = (pair.partition("=") for pair in environment.get("OTEL_EXPORTER_OTLP_HEADERS", "").split(",") if "=" in pair)
    return Backend(url, {name.strip(): unquote(value.strip()) for name, _, value in pairs})


class Relay:
    """A bounded queue and one sender."""

    def __init__(self, target: Backend, client: httpx.AsyncClient, recorder: Recorder) -> None:
        self._target, self._client, self._recorder = target, client, recorder
        self._queue: asyncio.Queue[Batch] = asyncio.Queue(BATCHES_MAX)

    def pass_on(self, batch: Batch) -> None:
        """Send it when its turn comes; when too many wait it is given up."""
        try:
            self._queue.put_nowait(batch)
        except asyncio.QueueFull:
            self._count("relay_failed", batch)

    async def run(self) -> None:
        """Send until cancelled."""
        while True:
            batch = await self._queue.get()
            self._count("relayed" if await self._send(batch) else "relay_failed", batch)
            self._queue.task_done()

    async def drain(self) -> None:
        """Wait until nothing waits any more, at most as long as one batch may take."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(TIMEOUT_SECONDS):
                await self._queue.join()

    async def _send(self, batch: Batch) -> bool:
        headers = {**self._target.headers, "content-type": batch.coding.media} | (
            {"content-encoding": "gzip"} if batch.coding.gzipped else {}
        )
        try:
            async with asyncio.timeout(TIMEOUT_SECONDS):
                answer = await self._client.post(self._target.url, content=batch.body, headers=headers)
        except (httpx.HTTPError, TimeoutError) as error:
            logger.warning("%s did not take a batch of %d spans: %s", self._target.url, batch.spans, error or type(error).__name__)
            return False
        if not answer.is_success:
            logger.warning("%s refused a batch of %d spans: %d", self._target.url, batch.spans, answer.status_code)
        return answer.is_success

    def _count(self, result: str, batch: Batch) -> None:
        self._recorder.count(metrics.COLLECTED_SPANS, result, by=batch.spans)


@contextlib.asynccontextmanager
async def relaying(target: Backend | None, recorder: Recorder) -> AsyncIterator[Callable[[Batch], None]]:
    """Where to put batches for the backend while this is open; without a backend they go nowhere."""
    if target is None:
        yield lambda _batch: None
        return
    async with httpx.AsyncClient(timeout=TIMEOUT_SECONDS) as client:
        relay = Relay(target, client, recorder)
        sending = asyncio.create_task(relay.run(), name="relay")
        yield relay.pass_on
        await relay.drain()
        sending.cancel()
        await asyncio.wait([sending])
