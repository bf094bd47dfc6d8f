from __future__ import annotations

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from postmortems import traced
from reference_app.query.prometheus import Series

S = 1_000_000_000
COLUMNS = ("trace_id", "span_id", "parent_span_id", "kind", "component", "start_ns", "end_ns", "status", "attributes")


def span(name: str, parent: str, kind: str, component: str, took: tuple[float, float], *, peer: str = "", failed: bool = False) -> tuple[object, ...]:  # fmt: skip
    attributes = {"failwhale.edge_case": "slow"} | ({"server.address": peer} if peer else {})
    start, end = (round(moment * S) for moment in took)
    return "t", name, parent, kind, component, start, end, "ERROR" if failed else "UNSET", json.dumps(attributes)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    rows = [
        span("door", "", "SERVER", "front", (10.0, 12.0), failed=True),
        span("call", "door", "CLIENT", "front", (10.1, 11.9), peer="back", failed=True),
        span("served", "call", "SERVER", "back", (10.2, 11.8), failed=True),
        span("asked", "served", "CLIENT", "back", (10.3, 11.7), peer="store", failed=True),
        span("aside", "served", "CLIENT", "back", (10.3, 10.5), peer="cache"),
    ]
    columns = list(zip(*rows, strict=True))
    pq.write_table(pa.table(dict(zip(COLUMNS, map(list, columns), strict=True))), tmp_path / "1-1.parquet")
    return tmp_path


def by_component(series: tuple[Series, ...]) -> dict[str, float]:
    found: dict[str, float] = {}
    for one in series:
        found[one.labels["component"]] = round(found.get(one.labels["component"], 0.0) + sum(value for _, value in one.points), 3)
    return found


def test_a_failure_is_counted_where_it_began_and_not_where_it_was_passed_on(folder: Path) -> None:
    failed, _ = traced.read(folder, 0, 100)
    assert [(one.labels, one.points) for one in failed.series] == [({"component": "store", "caller": "back"}, [(11.0, 1.0)])]


def test_a_segment_that_a_crash_left_in_part_hides_no_other(folder: Path) -> None:
    whole = traced.read(folder, 0, 100)
    (folder / "0-9.parquet").write_bytes(b"PAR1 and a part")
    assert traced.read(folder, 0, 100) == whole


def test_time_that_a_callee_took_is_not_its_callers(folder: Path) -> None:
    _, spent = traced.read(folder, 0, 100)
    assert by_component(spent.series) == {"front": 0.2, "back": 0.4, "store": 1.4, "cache": 0.2}


def test_spans_of_another_time_are_not_counted(folder: Path) -> None:
    assert all(not one.series for one in traced.read(folder, 20, 100))
