"""`python -m reference_app.collector`: started by the lab."""

from __future__ import annotations

from reference_app.collector.app import compose
from reference_app.contract import metrics
from reference_app.instrumentation import service

if __name__ == "__main__":
    service.run(compose, exported=metrics.COLLECTOR_METRICS)
