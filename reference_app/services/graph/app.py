"""The ASGI app of the graph service."""

from __future__ import annotations

from starlette.types import ASGIApp

from reference_app.instrumentation import service
from reference_app.instrumentation.recorder import Recorder
from reference_app.services.graph.routes import Endpoints
from reference_app.services.graph.store import Follows


def build(*, store: Follows, recorder: Recorder) -> ASGIApp:
    """The app over a store."""
    return service.app(Endpoints(store).routes(), recorder)
