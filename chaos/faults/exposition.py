"""What a component counts, read from itself and not from Prometheus: a fault's own measurement must not wait for a scrape."""

from __future__ import annotations

import httpx
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from reference_app.contract import api
from reference_app.contract.topology import Component

ANSWER_SECONDS = 2.0


def total(component: Component, name: str, **labels: str) -> float:
    """Sum over its series of that name that have these labels. Raises httpx.HTTPError."""
    answer = httpx.get(f"http://127.0.0.1:{component.metrics_port}{api.METRICS}", timeout=ANSWER_SECONDS, trust_env=False)
    answer.raise_for_status()
    families = text_string_to_metric_families(answer.text)  # type: ignore[no-untyped-call]
    samples = (sample for family in families for sample in family.samples)
    return sum(float(s.value) for s in samples if s.name == name and labels.items() <= s.labels.items())
