"""The middleware around an app of one route, called as a server calls it."""

from __future__ import annotations

import asyncio
import contextvars
import logging
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp

from reference_app.contract import api, spans
from reference_app.instrumentation import service
from reference_app.instrumentation.recorder import Recorder
from reference_app.instrumentation.spans import Ended, ended
from reference_app.kit import deciders, errors, tracing
from reference_app.kit.deciders import Deciders
from reference_app.kit.home import Home

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
NO_BODY = {"type": "http.request", "body": b"", "more_body": False}
SAMPLED, UNSAMPLED = f"00-{TRACE}-{SPAN}-01", f"00-{TRACE}-{SPAN}-00"


async def _thing(_request: Request) -> Response:
    return Response(tracing.traceparent())


async def _failing(_request: Request) -> Response:
    raise errors.AppError("unavailable", "no")


async def _reading(request: Request) -> Response:
    return service.json_response(await service.body(request, dict))


ROUTES = [Route("/things/{thing}", _thing), Route("/failing", _failing), Route("/reading", _reading)]


class Served:
    """A service; `sampling` in 1/10,000 makes it the entry."""

    def __init__(self, folder: Path, sampling: int | None = None) -> None:
        self.recorder = Recorder(queue=100, ring=100)
        self._app = service.app(ROUTES, self.recorder, entry=None if sampling is None else _deciding(folder, sampling))

    def get(self, path: str, *received: Any, **headers: str) -> tuple[str, dict[str, str]]:
        """Body and headers of the answer. `received` is what the server says of the body, else that there is none."""
        raw = [(name.replace("_", "-").encode(), value.encode("latin-1")) for name, value in headers.items()]
        return contextvars.copy_context().run(lambda: asyncio.run(_asked(self._app, path, raw, received or (NO_BODY,))))

    def ended(self) -> list[Ended]:
        return [ended(note) for note in self.recorder.queue.batch()]

    def noted(self) -> list[Ended]:
        return [ended(note) for note in self.recorder.ring.since()[0]]


def _deciding(folder: Path, sampling: int) -> Deciders:
    home = Home(folder)
    deciders.write(home, "trace_sampling", sampling, by="test")
    return Deciders(home.deciders_file)


async def _asked(app: ASGIApp, path: str, headers: list[tuple[bytes, bytes]], received: Sequence[Any]) -> tuple[str, dict[str, str]]:
    sent: list[Any] = []
    messages = iter(received)

    async def send(message: Any) -> None:
        sent.append(message)

    async def receive() -> Any:
        return next(messages)

    scope = {"type": "http", "method": "GET", "path": path, "query_string": b"", "headers": headers, "root_path": ""}
    await app(scope, receive, send)
    return sent[1]["body"].decode(), {name.decode(): value.decode() for name, value in sent[0]["headers"]}


@pytest.mark.parametrize(("sampling", "spans_made"), [(10_000, 1), (0, 0)])
def test_the_entry_draws_for_a_request_that_brings_no_trace(tmp_path: Path, sampling: int, spans_made: int) -> None:
    served = Served(tmp_path, sampling)
    body, _ = served.get("/things/1")
    context = tracing.parse(body)
    assert context is not None
    assert context.sampled == bool(spans_made)
    assert len(served.ended()) == spans_made


@pytest.mark.parametrize("malformed", ["", "garbage", f"00-{'0' * 32}-{SPAN}-01", SAMPLED.upper(), "\xe9" * 55])
def test_a_malformed_traceparent_counts_as_none(tmp_path: Path, malformed: str) -> None:
    served = Served(tmp_path, 10_000)
    served.get("/things/1", traceparent=malformed)
    (span,) = served.ended()
    assert (span.parent_id, span.trace_id != TRACE) == ("", True)


@pytest.mark.parametrize("sampling", [None, 0, 10_000])
def test_whoever_calls_has_decided(tmp_path: Path, sampling: int | None) -> None:
    served = Served(tmp_path, sampling)
    body, _ = served.get("/things/1", traceparent=UNSAMPLED)
    (note,) = served.noted()
    assert (body, note.parent_id, served.ended()) == (f"00-{TRACE}-{note.span_id}-00", SPAN, [])
    served.get("/things/1", traceparent=SAMPLED)
    (span,) = served.ended()
    assert (span.trace_id, span.parent_id) == (TRACE, SPAN)


def test_a_service_behind_the_entry_samples_nothing_by_itself(tmp_path: Path) -> None:
    served = Served(tmp_path)
    body, _ = served.get("/things/1")
    assert re.fullmatch(r"00-[0-9a-f]{32}-[0-9a-f]{16}-00", body)
    assert served.ended() == []


def test_health_and_metrics_are_never_sampled(tmp_path: Path) -> None:
    served = Served(tmp_path, 10_000)
    served.get(api.HEALTH, traceparent=SAMPLED)
    served.get(api.METRICS, traceparent=SAMPLED)
    assert served.ended() == []


def test_a_request_without_an_id_has_its_trace_id(tmp_path: Path) -> None:
    served = Served(tmp_path, 0)
    assert served.get("/things/1", traceparent=UNSAMPLED)[1][api.REQUEST_ID] == TRACE
    assert served.get("/things/1", traceparent=UNSAMPLED, x_request_id="mine")[1][api.REQUEST_ID] == "mine"


def test_the_span_of_a_request_has_its_route_and_not_its_path_as_name(tmp_path: Path) -> None:
    served = Served(tmp_path)
    served.get("/things/7", traceparent=SAMPLED)
    (span,) = served.ended()
    assert (span.kind, span.name) == ("SERVER", "GET /things/{thing}")
    assert span.attributes == {
        spans.PATH: "/things/7", spans.METHOD: "GET", spans.ROUTE: "/things/{thing}", spans.STATUS_CODE: 200,
    }  # fmt: skip


def test_a_failed_requests_span_has_the_code_of_its_answer(tmp_path: Path) -> None:
    served = Served(tmp_path)
    served.get("/failing", traceparent=SAMPLED)
    assert [span.error for span in served.ended()] == ["unavailable"]


def test_a_client_that_leaves_in_the_middle_of_its_body_is_no_error_of_ours(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    served = Served(tmp_path)
    half = {"type": "http.request", "body": b'{"text', "more_body": True}
    served.get("/reading", half, {"type": "http.disconnect"}, traceparent=SAMPLED)
    (span,) = served.ended()
    assert span.attributes[spans.STATUS_CODE] == 400
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]


def test_the_entry_logs_every_request_and_a_service_behind_it_the_sampled_ones(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    Served(tmp_path, 0).get("/things/1")
    Served(tmp_path).get("/things/2", traceparent=UNSAMPLED)
    Served(tmp_path).get("/things/3", traceparent=SAMPLED)
    assert [getattr(record, "attributes", {}).get(spans.PATH) for record in caplog.records if record.name == "http"] == [
        "/things/1",
        "/things/3",
    ]
