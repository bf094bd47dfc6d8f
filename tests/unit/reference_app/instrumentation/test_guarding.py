"""What stands before every endpoint, in an app called as a server calls it."""

from __future__ import annotations

import asyncio
import dataclasses
import json
from pathlib import Path
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp

from reference_app.contract import api
from reference_app.contract.profile import LAB
from reference_app.instrumentation import service
from reference_app.instrumentation.guarding import Guard
from reference_app.instrumentation.recorder import Recorder
from reference_app.kit import deciders, errors
from reference_app.kit.deciders import Deciders
from reference_app.kit.home import Home
from reference_app.kit.warmup import Gate

ONE_WAITS = dataclasses.replace(LAB, service_waiting=1)


class Served:
    """A service that works on one request at a time, each until it is let go."""

    def __init__(self, folder: Path) -> None:
        home = Home(folder)
        deciders.write(home, "service_concurrency", 1, by="test")
        self.recorder, self.let_go, self.begun = Recorder(), asyncio.Event(), 0
        guard = Guard(Deciders(home.deciders_file), self.recorder, profile=ONE_WAITS)
        self.app = service.app([Route("/things/{thing}", self._thing)], self.recorder, guard=guard)

    async def _thing(self, _request: Request) -> Response:
        self.begun += 1
        await self.let_go.wait()
        return Response(b"done")

    def counted(self, start: str) -> float:
        lines = self.recorder.exposition().decode().splitlines()
        return sum(float(line.split()[1]) for line in lines if line.startswith(start))


async def asked(app: ASGIApp, path: str, **headers: str) -> tuple[int, bytes, dict[str, str]]:
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    async def receive() -> Any:
        return {"type": "http.request", "body": b"", "more_body": False}

    raw = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    await app({"type": "http", "method": "GET", "path": path, "query_string": b"", "headers": raw, "root_path": ""}, receive, send)
    return sent[0]["status"], sent[1]["body"], {name.decode(): value.decode() for name, value in sent[0]["headers"]}


def test_beyond_its_limit_and_its_line_a_service_answers_with_a_nack_by_route_while_its_health_is_told(tmp_path: Path) -> None:
    async def crowd() -> None:
        served = Served(tmp_path)
        assert 'failwhale_nacks_total{http_route="/things/{thing}"} 0.0' in served.recorder.exposition().decode()
        first, in_line = (asyncio.create_task(asked(served.app, f"/things/{n}")) for n in range(2))
        await asyncio.sleep(0.01)
        assert served.counted("failwhale_requests_waiting") == 1
        status, body, headers = await asked(served.app, "/things/3")
        error = json.loads(body)["error"]
        assert (status, error["code"], error["nack"], headers["retry-after"]) == (503, "overloaded", True, "1")
        assert served.counted('failwhale_nacks_total{http_route="/things/{thing}"}') == 1
        assert (await asked(served.app, api.HEALTH))[0] == 200
        assert served.begun == 1
        served.let_go.set()
        assert [(await task)[1] for task in (first, in_line)] == [b"done", b"done"]

    asyncio.run(crowd())


def test_a_request_that_expires_in_line_is_not_worked_on(tmp_path: Path) -> None:
    async def crowd() -> None:
        served = Served(tmp_path)
        first = asyncio.create_task(asked(served.app, "/things/1"))
        await asyncio.sleep(0.01)
        late = asyncio.create_task(asked(served.app, "/things/2", x_deadline_ms="20"))
        assert (await late)[0] == 504
        served.let_go.set()
        await first
        assert served.begun == 1

    asyncio.run(crowd())


def test_a_service_says_that_it_is_warming_until_its_gate_opens() -> None:
    reachable = False

    async def probe() -> None:
        if not reachable:
            raise errors.NeverSent("x", "refused")

    async def start() -> None:
        nonlocal reachable
        app = service.app([], Recorder(), gate=Gate([probe], monotonic=lambda: 0.0))
        assert (await asked(app, api.HEALTH))[:2] == (503, b"warming")
        reachable = True
        assert (await asked(app, api.HEALTH))[:2] == (200, b"ok")
        reachable = False
        assert (await asked(app, api.HEALTH))[:2] == (200, b"ok")

    asyncio.run(start())
