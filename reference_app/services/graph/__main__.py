"""The graph process."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.types import ASGIApp

from reference_app.contract import metrics
from reference_app.instrumentation import logs
from reference_app.instrumentation.recorder import Recorder
from reference_app.kit import lifecycle, sql
from reference_app.kit.breaker import Breaker
from reference_app.kit.settings import Settings
from reference_app.services.graph import app
from reference_app.services.graph.store import Follows

DATABASE = "graph-db-0"


def main() -> None:
    """Serve until SIGTERM."""
    settings = Settings.from_environment()
    logs.configure(settings.component.name)
    lifecycle.serve(lambda: _open(settings), settings.component.port)


@asynccontextmanager
async def _open(settings: Settings) -> AsyncIterator[ASGIApp]:
    recorder = Recorder()
    database = _database(settings, recorder)
    try:
        yield app.build(store=Follows(database), recorder=recorder)
    finally:
        await database.close()


def _database(settings: Settings, recorder: Recorder) -> sql.Database:
    component = settings.lab.component(DATABASE)
    breaker = Breaker(on_change=lambda is_open: recorder.gauge(metrics.BREAKER_OPEN, is_open, DATABASE))
    identity = sql.Identity(component.shard, settings.lab.identity_key)
    return sql.Database(DATABASE, component.port, identity=identity, observe=recorder.db_client, breaker=breaker)


if __name__ == "__main__":
    main()
