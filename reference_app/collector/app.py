"""Builds the collector from its settings."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.types import ASGIApp

from reference_app.instrumentation import service
from reference_app.instrumentation.recorder import Recorder
from reference_app.kit.settings import Settings


@asynccontextmanager
async def compose(settings: Settings) -> AsyncIterator[ASGIApp]:  # noqa: ARG001
    """The ASGI app."""
    yield service.app([], Recorder())
