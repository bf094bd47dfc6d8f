"""The gateway process."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.types import ASGIApp

from reference_app.contract import topology
from reference_app.instrumentation import logs
from reference_app.instrumentation.recorder import Recorder
from reference_app.kit import http, lifecycle
from reference_app.kit.settings import Settings
from reference_app.services.gateway import app
from reference_app.services.gateway.callees import Callees


def main() -> None:
    """Serve until SIGTERM."""
    settings = Settings.from_environment()
    logs.configure(settings.component.name)
    lifecycle.serve(lambda: _open(settings), settings.component.port)


@asynccontextmanager
async def _open(settings: Settings) -> AsyncIterator[ASGIApp]:
    recorder = Recorder()
    groups = {
        name: http.Group(settings.lab.group(name), observe=recorder.http_client)
        for name in topology.SERVICE_EDGES[settings.component.group]
    }
    try:
        yield app.build(callees=Callees(**groups), recorder=recorder, signing_key=settings.lab.signing_key)
    finally:
        for group in groups.values():
            group.close()


if __name__ == "__main__":
    main()
