"""Writes docs/telemetry.md from `reference_app.contract` (`make gen`); `--check` only compares."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

from reference_app.contract import logs, metrics, spans
from reference_app.contract.metrics import Metric
from reference_app.contract.profile import LAB
from reference_app.instrumentation.hindsight import WANTED_SECONDS
from reference_app.instrumentation.spans import RING
from reference_app.kit import deciders

DOCUMENT = Path(__file__).resolve().parents[1] / "docs" / "telemetry.md"
UNITS = {"_seconds": "seconds", "_bytes": "bytes", "_ratio": "ratio, 0 to 1"}
EXPORTERS = {
    "Every service": metrics.SERVICE_METRICS,
    "The prober, about every component": metrics.PROBER_METRICS,
    "The collector": metrics.COLLECTOR_METRICS,
    "A process of the load generator, while a load runs": metrics.LOAD_METRICS,
    "The edge, where there is one (kept of what HAProxy exports)": metrics.EDGE_METRICS,
    "Prometheus, about itself (kept of what it exports)": metrics.WATCH_METRICS,
}

HEAD = f"""# Telemetry

What services, prober, collector, load generator, edge and Prometheus export; the prober asks everybody else. Written by `make gen` from `reference_app/contract/{{metrics,spans,logs}}.py`, where each name stands once;
`tests/stack/test_telemetry_contract.py` holds the running lab to it: nothing more, nothing less.

## Metrics

OpenMetrics text at `/metrics` of each of these, scraped every second. Prometheus adds `component`, `service` (its group) and `kind` to each series;
the prober names the component that it asked itself. A series with labels appears when it is first used: one that was never counted is absent, not 0.
What is refused (`{metrics.SHED.name}`, `{metrics.NACKS.name}`) and lost (`{metrics.SPANS_EXPORTED.name}`) is there from 0 on.
"""

TRACES = f"""## Traces

W3C Trace Context on every hop: the spans of one request, whichever services, outbox, stream and consumers it went through, are one trace.
A hop is recorded by both sides, as its caller saw it and as its callee did.

**Sampling** is decided once, by the gateway, which draws with the decider `trace_sampling` (of 10,000; {deciders.DECIDERS["trace_sampling"].default} unless set): what is
not sampled creates no span, and its logs carry a trace id all the same.
`failwhale decider set trace_sampling 10000` records every request. A client decides for itself with a `traceparent` header:
`traceparent: 00-<32 hex digits>-<16 hex digits>-01` is recorded, `-00` is not. The latency histograms carry trace ids as exemplars.

**Where they are.** Services send batches to the collector (OTLP/HTTP, one attempt; a batch that it does not take is counted and gone).
The collector takes `POST {spans.OTLP_TRACES}` of anybody, protobuf or JSON, gzip or not, at most 4 MiB. It writes Parquet segments to `var/traces`, one a second at most, keeps
6 hours or 256 MB of them, and passes each batch on to the backend named by `OTEL_EXPORTER_OTLP_TRACES_ENDPOINT` or `OTEL_EXPORTER_OTLP_ENDPOINT`
(with `OTEL_EXPORTER_OTLP_HEADERS`) when one is set for `failwhale up`. `failwhale trace slowest | failing | show TRACE_ID` and `reference_app.query.traces` read them.

Resource attributes: `{spans.SERVICE_NAME}` is the group (`tweets`), `{spans.SERVICE_INSTANCE}` the component (`tweets-0`).
"""

HINDSIGHT = f"""**Hindsight.** What is not sampled is noted: each process remembers its last {RING:,} operations (name, start, end, outcome, ids, parent). An edge case
makes its trace worth keeping. The first process that meets one announces the trace to all others (core NATS, `{spans.EDGE_CASES_SUBJECT}`), and each
exports its part as ordinary spans, with the reason as `{spans.EDGE_CASE}`; what ends within {WANTED_SECONDS:.0f} s after that is exported, too. One process finds at
most {LAB.edge_cases_rate:g} edge cases a second worth keeping, after {LAB.edge_cases_burst:g} at once. So traces are a sample of what is ordinary and, up to that rate, all of what is not:
shares of errors or of slow requests are read from metrics, never counted in traces. The decider `hindsight` switches it off (docs/adr/0013).
`failwhale_edge_cases_total` and `failwhale_hindsight_reach_seconds` say what was lost, and how far back a process remembers.
"""

LOGS = """## Logs

JSON lines in `var/log/<component>.log`. Lines of MariaDB, Redis, NATS, Prometheus, Alertmanager and supervisord are
their own. The edge writes requests that failed or were sent twice in this shape, with `backend`, `server`, `retries` and `haproxy.termination_state` besides.
"""


def document() -> str:
    """The whole file."""
    parts = [
        HEAD,
        *(_metrics(exporter, exported) for exporter, exported in EXPORTERS.items()),
        TRACES,
        HINDSIGHT,
        _table(("edge case", "meaning"), dict(spans.REASONS)),
        _table(("kind", "name"), spans.NAMES),
        _table(("attribute", "meaning"), spans.ATTRIBUTES),
        "Columns of a segment:\n",
        _table(("column", "Arrow type"), spans.COLUMNS),
        LOGS,
        _table(("field, on every line", "meaning"), logs.ALWAYS),
        _table(("field, where it applies", "meaning"), logs.SOMETIMES),
    ]
    return "\n".join(parts)


def _metrics(exporter: str, exported: Iterable[Metric]) -> str:
    rows = [
        f"| `{metric.name}` | {metric.type} | {_labels(metric)} | {_unit(metric)} | {metric.help} |"
        for metric in sorted(exported, key=lambda m: m.name)
    ]
    return "\n".join([f"### {exporter}", "", "| name | type | labels | unit | meaning |", "|---|---|---|---|---|", *rows, ""])


def _labels(metric: Metric) -> str:
    return ", ".join(f"`{label}`" for label in metric.labels)


def _unit(metric: Metric) -> str:
    return next((unit for suffix, unit in UNITS.items() if metric.name.endswith(suffix)), "1")


def _table(heads: tuple[str, str], rows: Mapping[str, str]) -> str:
    return "\n".join([f"| {heads[0]} | {heads[1]} |", "|---|---|", *(f"| `{name}` | {meaning} |" for name, meaning in rows.items()), ""])


def main() -> int:
    """Exit code 1 when `--check` finds a difference."""
    wanted = document()
    if "--check" in sys.argv:
        return int(not DOCUMENT.exists() or DOCUMENT.read_text() != wanted)
    DOCUMENT.write_text(wanted)
    return 0


if __name__ == "__main__":
    sys.exit(main())
