"""The running lab exports what `reference_app.contract` names (docs/telemetry.md): nothing more, nothing less."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import httpx
import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from reference_app.contract import logs, metrics, spans
from reference_app.contract.metrics import Metric
from reference_app.contract.topology import SERVICES, Lab
from reference_app.instrumentation.recorder import Recorder
from reference_app.kit.home import Home
from reference_app.query.traces import Traces

OPENMETRICS = {"accept": "application/openmetrics-text; version=1.0.0"}
EXPORTED: dict[str, Sequence[Metric]] = {
    "service": metrics.SERVICE_METRICS,
    "collector": metrics.COLLECTOR_METRICS,
    "prober": metrics.PROBER_METRICS,
}
"""Kind of process -> what it exports."""


def breaches(exposition: str, exported: Sequence[Metric]) -> list[str]:
    """Where an exposition is not what the contract says."""
    named = {metric.name: metric for metric in exported}
    families = {f.name + ("_total" if f.type == "counter" else ""): f for f in text_string_to_metric_families(exposition)}
    found = [f"{name} is not in the contract" for name in families.keys() - named.keys()]
    found += [f"{name} is not exported" for name in named.keys() - families.keys()]
    for name in families.keys() & named.keys():
        family, metric = families[name], named[name]
        labels = {frozenset(sample.labels.keys() - {"le"}) for sample in family.samples}
        if family.type != metric.type or family.documentation != metric.help:
            found.append(f"{name} is a {family.type}: {family.documentation}")
        found += [f"{name} has labels {sorted(wrong)}" for wrong in labels - {frozenset(metric.labels)}]
    return found


def undocumented(lines: Iterator[dict[str, Any]]) -> set[str]:
    """Fields of log lines that the contract does not name, or that it wants on every line and that are missing."""
    found = set()
    for line in lines:
        found |= (line.keys() - logs.FIELDS.keys()) | (logs.ALWAYS.keys() - line.keys())
    return found


def json_lines(path: Path) -> Iterator[dict[str, Any]]:
    with path.open("rb") as file:
        yield from (json.loads(line) for line in file if line.startswith(b"{") and line.endswith(b"}\n"))


def test_every_kind_of_breach_is_found() -> None:
    exported = (metrics.HOME_PAGES, metrics.POSTS, metrics.DEAD_LETTERS, metrics.HTTP_SERVER)
    recorder = Recorder(exported)
    recorder.count(metrics.HOME_PAGES, "complete")
    honest = recorder.exposition().decode()
    assert breaches(honest, exported) == []
    assert breaches(honest.replace('result="complete"', 'outcome="complete"'), exported) == [
        "failwhale_home_pages_total has labels ['outcome']"
    ]
    assert breaches(honest, (*exported, metrics.SHED)) == ["failwhale_requests_shed_total is not exported"]
    assert breaches(honest, exported[1:]) == ["failwhale_home_pages_total is not in the contract"]
    assert breaches(honest.replace("# TYPE failwhale_posts counter", "# TYPE failwhale_posts gauge"), exported) == [
        "failwhale_posts is not in the contract", "failwhale_posts_total is not exported"]  # fmt: skip
    assert len(breaches(honest.replace(metrics.POSTS.help, "Posts."), exported)) == 1


def test_undocumented_and_missing_fields_are_found() -> None:
    honest = dict.fromkeys(logs.ALWAYS, "")
    assert undocumented(iter([honest, honest | {"trace_id": ""}])) == set()
    assert undocumented(iter([honest | {"user": 1}, {"message": ""}])) == {"user", *(logs.ALWAYS.keys() - {"message"})}


@pytest.fixture
def used(lab: Lab, api: Any, home: Home, eventually: Callable[[Callable[[], bool], str], None]) -> Lab:
    """The lab after each service has worked, for a trace that is kept."""
    author, reader = api.user(), api.user()
    api.follow(reader, author)
    trace_id = secrets.token_hex(16)
    headers = {"authorization": f"Bearer {author.token}", "idempotency-key": trace_id, "traceparent": f"00-{trace_id}-{'b' * 16}-01"}
    assert httpx.post(f"{lab.entry_url}/tweets", json={"text": "of the contract"}, headers=headers).status_code == 201
    assert api.home(reader) is not None
    eventually(lambda: any(span.kind == "CONSUMER" for span in Traces(home.traces).by_id(trace_id)), "the fan-out is in the trace")
    return lab


@pytest.mark.lab
def test_every_process_exports_the_metrics_of_the_contract_and_no_others(used: Lab) -> None:
    wrong = {}
    for component in (c for kind in ("service", "collector", "prober") for c in used.kind(kind)):
        exposition = httpx.get(f"http://127.0.0.1:{component.metrics_port}/metrics", headers=OPENMETRICS).text
        if found := breaches(exposition, EXPORTED[component.kind]):
            wrong[component.name] = found
    assert wrong == {}


@pytest.mark.lab
def test_log_lines_have_only_the_fields_of_the_contract(used: Lab, home: Home) -> None:
    names = [component.name for kind in ("service", "collector") for component in used.kind(kind)]
    lines = {name: list(json_lines(home.logs / f"{name}.log")) for name in names}
    assert {name for name, written in lines.items() if not written} == set(), "processes that wrote no line"
    assert {name: found for name, written in lines.items() if (found := undocumented(iter(written)))} == {}


@pytest.mark.lab
def test_spans_have_only_the_kinds_and_attributes_of_the_contract(used: Lab, home: Home) -> None:
    traces = Traces(home.traces)
    kept = [span for summary in traces.recent(limit=50) for span in traces.by_id(summary.trace_id)]
    assert {span.kind for span in kept} == set(spans.NAMES)
    assert {attribute for span in kept for attribute in span.attributes} <= set(spans.ATTRIBUTES)
    assert {span.service for span in kept} <= set(SERVICES)
    assert {span.component for span in kept} <= {component.name for component in used.kind("service")}
