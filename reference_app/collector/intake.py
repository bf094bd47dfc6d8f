"""`POST /v1/traces`: a request is decoded beside the event loop, kept and passed on, or refused as OTLP/HTTP says."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from reference_app.collector import otlp, rows
from reference_app.collector.otlp import Coding, RefusedError
from reference_app.collector.relay import Batch
from reference_app.collector.rows import Decoded
from reference_app.contract import metrics
from reference_app.contract.spans import OTLP_TRACES
from reference_app.instrumentation.recorder import Recorder

REQUESTS_MAX = 16
"""Requests that may be under way: each holds up to BODY_MAX bytes."""
RETRY_AFTER_SECONDS = 1


class Intake:
    """`keep` takes rows or says False; `decoder` is one thread, so that decoding neither blocks the loop nor takes twice the memory."""

    def __init__(
        self, keep: Callable[[list[rows.Row]], bool], pass_on: Callable[[Batch], None], *, decoder: Executor, recorder: Recorder
    ) -> None:
        self._keep, self._pass_on, self._decoder, self._recorder = keep, pass_on, decoder, recorder
        self._under_way = 0

    @property
    def routes(self) -> list[Route]:
        return [Route(OTLP_TRACES, self.take, methods=["POST"])]

    async def take(self, request: Request) -> Response:
        """Answer one export."""
        self._under_way += 1
        try:
            coding = Coding.of(request.headers.get("content-type", ""), request.headers.get("content-encoding", ""))
            return Response(await self._taken(request, coding), media_type=coding.media)
        except RefusedError as refused:
            return _refusal(request, refused)
        finally:
            self._under_way -= 1

    async def _taken(self, request: Request, coding: Coding) -> bytes:
        if self._under_way > REQUESTS_MAX:
            raise RefusedError(503, f"{REQUESTS_MAX} exports are under way already: send this one again later")
        body = await _body(request)
        decoded = await asyncio.get_running_loop().run_in_executor(self._decoder, _decoded, body, coding)
        self._count("rejected", decoded.rejected)
        if not self._keep(decoded.rows):
            self._count("dropped", len(decoded.rows))
            raise RefusedError(503, "too many spans wait to be written: send this export again later")
        self._pass_on(Batch(body, coding, len(decoded.rows)))
        return otlp.answer(coding, decoded.rejected, decoded.reason)

    def _count(self, result: str, spans: int) -> None:
        self._recorder.count(metrics.COLLECTED_SPANS, result, by=spans)


def _decoded(body: bytes, coding: Coding) -> Decoded:
    request, malformed = otlp.decode(body, coding)
    decoded = rows.decode(request)
    if malformed:
        decoded.reject("traceId, spanId or parentSpanId is not hexadecimal", malformed)
    return decoded


async def _body(request: Request) -> bytes:
    chunks, size = [], 0
    try:
        async for chunk in request.stream():
            chunks.append(chunk)
            size += len(chunk)
            if size > otlp.BODY_MAX:
                raise RefusedError(413, f"the body exceeds {otlp.BODY_MAX} bytes: send smaller batches")
    except ClientDisconnect:
        raise RefusedError(400, "the client went away before its body had come") from None
    return b"".join(chunks)


def _refusal(request: Request, refused: RefusedError) -> Response:
    media = otlp.PROTOBUF if request.headers.get("content-type", "").startswith(otlp.PROTOBUF) else otlp.JSON
    headers = {"retry-after": str(RETRY_AFTER_SECONDS)} if refused.status == 503 else None
    return Response(otlp.refusal(media, refused), refused.status, headers, media)
