"""What spans say about a failure, as series: where failures of traces began, and who spent the time of the slow ones.

The collector keeps all of what was not ordinary and a sample of what was, so these are counts of bad traces, not shares of all requests. Whoever is
nearest to the beginning of a failure is the *leaf*: a span that failed while none below it did. Time is exclusive: what a span's children
took is theirs, and what a call took beyond its callee's own span belongs to the callee and the way to it.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from postmortems.tables import Frozen
from reference_app.contract.spans import EDGE_CASE, PEER
from reference_app.query.prometheus import Series

FAILED, SPENT = "spans_failed_first", "spans_slow_seconds"
HOW = {
    FAILED: "spans: that failed while no span below them did, by component and caller, per second",
    SPENT: "spans: exclusive seconds in traces kept because something was slow, by component and caller, per second",
}
_COLUMNS = ["trace_id", "span_id", "parent_span_id", "kind", "component", "start_ns", "end_ns", "status", "attributes"]
_SLOW = "slow"


class Attributes(msgspec.Struct, rename={"peer": PEER, "edge_case": EDGE_CASE}):
    """What is read of a span's attributes."""

    peer: str = ""
    edge_case: str = ""


@dataclass(frozen=True)
class Part:
    """A span. `about` is who it speaks of: the callee of a call, else the component itself, with no caller."""

    trace: str
    parent: str
    about: str
    caller: str
    start_ns: int
    end_ns: int
    failed: bool
    slow: bool


def read(folder: Path, start: float, end: float) -> tuple[Frozen, ...]:
    """Of the spans that began in [start, end] (Unix seconds) and are still kept."""
    return counted(dict(_spans(folder, start, end)))


def counted(spans: Mapping[str, Part]) -> tuple[Frozen, ...]:
    """What spans, by their ids, say per second."""
    below: dict[str, list[Part]] = defaultdict(list)
    for span in spans.values():
        below[span.parent].append(span)
    slow = {span.trace for span in spans.values() if span.slow}
    failed: Counter[tuple[str, str, int]] = Counter()
    spent: Counter[tuple[str, str, int]] = Counter()
    for name, span in spans.items():
        key = (span.about, span.caller, span.end_ns // 1_000_000_000)
        if span.failed and not any(child.failed for child in below[name]):
            failed[key] += 1
        if span.trace in slow:
            spent[key] += _exclusive_ns(span, below[name])
    return (_frozen(FAILED, failed, 1), _frozen(SPENT, spent, 1e-9))


def _spans(folder: Path, start: float, end: float) -> Iterator[tuple[str, Part]]:
    wanted = [("start_ns", ">=", round(start * 1e9)), ("start_ns", "<=", round(end * 1e9))]
    for segment in sorted(folder.glob("*.parquet")):
        try:
            rows = pq.read_table(segment, columns=_COLUMNS, filters=wanted).to_pylist()
        except (FileNotFoundError, pa.ArrowInvalid):  # the collector merged it into another meanwhile; a crash left a part of it
            continue
        for row in rows:
            yield row["span_id"], part(row)


def part(row: Mapping[str, Any]) -> Part:
    """Of a row with the collector's columns."""
    about = msgspec.json.decode(row["attributes"] or "{}", type=Attributes)
    peer = about.peer if row["kind"] in ("CLIENT", "PRODUCER") else ""
    return Part(
        row["trace_id"], row["parent_span_id"], peer or row["component"], row["component"] if peer else "", row["start_ns"], row["end_ns"],
        row["status"] == "ERROR", about.edge_case == _SLOW,
    )  # fmt: skip


def _exclusive_ns(span: Part, children: Iterable[Part]) -> int:
    """Nanoseconds that no child covers; children may overlap one another, and outlive their parent."""
    own, at = 0, span.start_ns
    for child in sorted(children, key=lambda child: child.start_ns):
        own += max(0, min(child.start_ns, span.end_ns) - at)
        at = max(at, child.end_ns)
    return own + max(0, span.end_ns - at)


def _frozen(name: str, counted: Mapping[tuple[str, str, int], float], unit: float) -> Frozen:
    points: dict[tuple[str, str], list[tuple[float, float]]] = defaultdict(list)
    for (about, caller, second), value in sorted(counted.items()):
        points[about, caller].append((float(second), value * unit))
    series = tuple(Series({"component": about, "caller": caller}, its) for (about, caller), its in points.items())
    return Frozen(name, HOW[name], series)
