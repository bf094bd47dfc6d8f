"""Parquet tables of a snapshot: typed rows in, the same rows out. Labels, component lists and details are JSON text in their columns."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from chaos.events import Event
from loadgen.history import Operation
from reference_app.query.prometheus import AlertSpan, Series

OPERATIONS, SERIES, ALERTS, EVENTS = "operations.parquet", "series.parquet", "alerts.parquet", "events.parquet"

_OPERATION_TYPES = {
    "n": pa.int64(), "op": pa.string(), "user": pa.int64(), "target": pa.int64(), "due": pa.float64(), "invoked_at": pa.float64(),
    "key": pa.string(), "attempt": pa.int32(), "replay": pa.bool_(), "type": pa.string(), "status": pa.int32(),
    "completed_at": pa.float64(), "response_ms": pa.float64(), "service_ms": pa.float64(), "lag_ms": pa.float64(),
    "tweet_id": pa.string(), "partial": pa.bool_(), "tweets": pa.int32(), "error": pa.string(),
    "intent": pa.int64(), "reaction": pa.string(), "timeout_s": pa.float64(),
    "trace_id": pa.string(),
}  # fmt: skip
_SCHEMAS = {
    OPERATIONS: _OPERATION_TYPES,
    SERIES: {"name": pa.string(), "query": pa.string(), "labels": pa.string(), "t": pa.float64(), "value": pa.float64()},
    ALERTS: {"name": pa.string(), "labels": pa.string(), "fired_at": pa.float64(), "resolved_at": pa.float64()},
    EVENTS: {"at": pa.float64(), "event": pa.string(), "fault": pa.string(), "components": pa.string(), "detail": pa.string()},
}
_NOT_FROZEN: dict[str, Any] = {"text": ""}
"""What users wrote is no evidence of a failure and stays out of the snapshot."""


@dataclass(frozen=True)
class Frozen:
    """The series that one whitelisted query returned."""

    name: str
    query: str
    series: tuple[Series, ...]


def rows(path: Path) -> int | None:
    """Rows of a table, None for another file."""
    return pq.read_metadata(path).num_rows if path.suffix == ".parquet" else None


def write_operations(path: Path, operations: Iterable[Operation]) -> None:
    """One row per request."""
    _write(path, [{name: getattr(operation, name) for name in _OPERATION_TYPES} for operation in operations])


def read_operations(path: Path) -> tuple[Operation, ...]:
    """In the order of their sending, without the texts."""
    return tuple(Operation(**row, **_NOT_FROZEN) for row in _read(path))


def write_series(path: Path, frozen: Iterable[Frozen]) -> None:
    """One row per point."""
    _write(path, [row for one in frozen for series in one.series for row in _points(one, series)])


def read_series(path: Path) -> dict[str, tuple[Series, ...]]:
    """Series by the name of their query; a query that returned nothing is absent."""
    points: dict[tuple[str, str], list[tuple[float, float]]] = defaultdict(list)
    for row in _read(path):
        points[row["name"], row["labels"]].append((row["t"], row["value"]))
    found: dict[str, list[Series]] = defaultdict(list)
    for (name, labels), values in points.items():
        found[name].append(Series(msgspec.json.decode(labels), values))
    return {name: tuple(series) for name, series in found.items()}


def write_alerts(path: Path, spans: Iterable[AlertSpan]) -> None:
    """One row per stretch of firing."""
    _write(path, [_with_json(span) for span in spans])


def read_alerts(path: Path) -> tuple[AlertSpan, ...]:
    """In the order in which they fired."""
    return tuple(AlertSpan(**(row | {"labels": msgspec.json.decode(row["labels"])})) for row in _read(path))


def write_events(path: Path, events: Iterable[Event]) -> None:
    """One row per event."""
    _write(path, [_with_json(event) for event in events])


def read_events(path: Path) -> tuple[Event, ...]:
    """In the order of their time."""
    return tuple(
        msgspec.convert(row | {name: msgspec.json.decode(row[name]) for name in ("components", "detail")}, Event) for row in _read(path)
    )


def _points(one: Frozen, series: Series) -> Iterable[dict[str, Any]]:
    labels = _json(series.labels)
    return ({"name": one.name, "query": one.query, "labels": labels, "t": at, "value": value} for at, value in series.points)


def _with_json(row: AlertSpan | Event) -> dict[str, Any]:
    values = {field.name: getattr(row, field.name) for field in fields(row)}
    return {name: _json(value) if isinstance(value, Mapping | tuple) else value for name, value in values.items()}


def _json(value: object) -> str:
    return msgspec.json.encode(value, order="deterministic").decode()


def _write(path: Path, values: Sequence[Mapping[str, Any]]) -> None:
    table = pa.Table.from_pylist(list(values), schema=pa.schema(list(_SCHEMAS[path.name].items())))
    pq.write_table(table, path, compression="zstd")


def _read(path: Path) -> list[dict[str, Any]]:
    values: list[dict[str, Any]] = pq.read_table(path).to_pylist()
    return values
