"""`python -m reference_app.services.fanout`: started by the lab."""

from __future__ import annotations

from reference_app.instrumentation import service
from reference_app.services.fanout.app import compose

if __name__ == "__main__":
    service.run(compose)
