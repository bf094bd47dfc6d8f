"""The yardstick of a request: a bare hello on granian and starlette, one process. `python -m failwhale.bench.hello PORT`."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass

import uvloop
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from failwhale.bench import wrk
from reference_app.stack.errors import StackError

START_S = 15.0


@dataclass(frozen=True)
class Hello:
    """A running server."""

    pid: int
    url: str


@contextlib.contextmanager
def running() -> Iterator[Hello]:
    """The server on some free port, on the core of what is under test. Raises StackError when it does not come up."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    server = subprocess.Popen([*wrk.tested_core(), sys.executable, "-m", "failwhale.bench.hello", str(port)])
    try:
        _await(server, port)
        yield Hello(server.pid, f"http://127.0.0.1:{port}/")
    finally:
        server.kill()
        server.wait()


def _await(server: subprocess.Popen[bytes], port: int) -> None:
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline and server.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise StackError("the hello on granian did not come up: are the development dependencies installed (scripts/setup.sh --tests)?")


async def _hello(_request: Request) -> Response:
    return PlainTextResponse("hello")


async def _serve(port: int) -> None:
    # A development dependency: the benchmark is known, though it cannot run, without it.
    from granian.constants import Interfaces  # noqa: PLC0415
    from granian.server.embed import Server  # noqa: PLC0415

    await Server(Starlette(routes=[Route("/", _hello)]), port=port, interface=Interfaces.ASGI, log_enabled=False).serve()


if __name__ == "__main__":
    uvloop.run(_serve(int(sys.argv[1])))
