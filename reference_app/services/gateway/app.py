"""The ASGI app of the gateway."""

from __future__ import annotations

from starlette.types import ASGIApp

from reference_app.instrumentation import service
from reference_app.instrumentation.recorder import Recorder
from reference_app.services.gateway.callees import Callees
from reference_app.services.gateway.routes import Endpoints


def build(*, callees: Callees, recorder: Recorder, signing_key: str) -> ASGIApp:
    """The app over the services behind it."""
    return service.app(Endpoints(callees, recorder, signing_key=signing_key).routes(), recorder, log_all=True)
