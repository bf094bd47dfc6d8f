"""`python -m reference_app.services.keyvalue`: started by the lab."""

from __future__ import annotations

from reference_app.instrumentation import service
from reference_app.services.keyvalue.app import compose

if __name__ == "__main__":
    service.run(compose)
