"""The ASGI app of the users service."""

from __future__ import annotations

import time
from collections.abc import Callable

from starlette.types import ASGIApp

from reference_app.instrumentation import service
from reference_app.instrumentation.recorder import Recorder
from reference_app.services.users.routes import Endpoints
from reference_app.services.users.store import Users


def build(*, store: Users, recorder: Recorder, signing_key: str, now: Callable[[], float] = time.time) -> ASGIApp:
    """The app over a store. `now` in Unix seconds."""
    return service.app(Endpoints(store, signing_key=signing_key, now=now).routes(), recorder)
