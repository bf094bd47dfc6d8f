"""`python -m reference_app.services.timelines`: started by the lab."""

from __future__ import annotations

import functools

from reference_app.instrumentation import logs
from reference_app.kit import lifecycle
from reference_app.kit.settings import Settings
from reference_app.services.timelines.app import build


def main() -> None:
    settings = Settings.from_environment()
    logs.configure(settings.component.name)
    lifecycle.serve(functools.partial(build, settings), settings.component.port)


if __name__ == "__main__":
    main()
