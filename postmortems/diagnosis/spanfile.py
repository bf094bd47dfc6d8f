"""Spans of any system from a file, and what diagnosis takes from them: where failures began, who spent slow time, who calls whom, and edge gaps.

docs/diagnosis.md has the columns. What a file calls otherwise is brought to the columns of the collector, so that one reading of spans is enough.
"""

from __future__ import annotations

import csv
import dataclasses
import gzip
import zlib
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

import msgspec
import numpy as np
import pyarrow.parquet as pq

from postmortems import traced
from postmortems.diagnosis import callers, voices
from postmortems.diagnosis.model import GAP, BadFileError, Series
from postmortems.diagnosis.moments import Moments
from postmortems.traced import Part
from reference_app.contract.spans import PEER, SpanKind, Status
from reference_app.query import prometheus

ENDS = ("end_ns", "end", "duration")
NEEDED = (
    ("trace_id",), ("span_id",), ("parent_span_id", "parent_id"), ("component", "service"), ("start_ns", "start"), ENDS, ("status",),
)  # fmt: skip
"""Columns of which a file has one each; those without `_ns` are in seconds."""
JSON, CSV, PARQUET = (".ndjson", ".jsonl", ".json"), ".csv", ".parquet"
_S = 1_000_000_000
Row = Mapping[str, Any]


@dataclass(frozen=True)
class Spans:
    """By trace and id."""

    path: Path
    parts: Mapping[str, Part]

    @property
    def calls(self) -> frozenset[tuple[str, str]]:
        """Who called whom."""
        return frozenset((part.caller, part.about) for part in self.parts.values() if part.caller)


def read(path: Path) -> Spans:
    """All spans of a file. Raises BadFileError and OSError."""
    parts: dict[str, Part] = {}
    for where, row in _rows(path):
        part = _part(row, where)
        parts[f"{part.trace}/{row['span_id']}"] = part
    if not parts:
        raise BadFileError(f"{path} has no spans")
    return Spans(path, {name: _called(part, parts.get(part.parent)) for name, part in parts.items()})


def series(spans: Spans, moments: Moments) -> list[Series]:
    """Signals of the two periods. Raises BadFileError when no span is of either."""
    at = _folding(moments)
    if all(at(part.end_ns // _S) is None for part in spans.parts.values()):
        raise BadFileError(
            f"{spans.path}: none of its {len(spans.parts)} spans ended in either period; `time` is in Unix seconds, as they are"
        )
    counted = {one.name: [_folded(its, at) for its in one.series] for one in traced.counted(spans.parts)}
    gaps = [moments.series(callee, GAP, moments.levels(its), caller) for (caller, callee), its in _gaps(spans.parts, at).items()]
    return [*voices.of(counted, moments), *callers.without_delays(gaps)]


def _gaps(parts: Mapping[str, Part], at: Callable[[float], float | None]) -> dict[tuple[str, str], prometheus.Series]:
    """Mean seconds that a call took beyond its callee's own span, by caller and callee."""
    beyond: dict[tuple[str, str], dict[float, list[float]]] = defaultdict(lambda: defaultdict(list))
    for part in parts.values():
        call, moment = parts.get(part.parent), at(part.end_ns // _S)
        if call and call.caller and not part.caller and call.about == part.about and moment is not None:
            beyond[call.caller, call.about][moment].append((call.end_ns - call.start_ns - part.end_ns + part.start_ns) / _S)
    return {
        edge: prometheus.Series({}, [(when, float(np.mean(its))) for when, its in sorted(by.items())])
        for edge, by in sorted(beyond.items())
    }


def _folding(moments: Moments) -> Callable[[float], float | None]:
    """The moment that a second belongs to: moments may be further apart than seconds. None for one of neither period."""
    periods = [np.round(period) for period in (moments.normal, moments.anomalous)]

    def at(second: float) -> float | None:
        for marks in periods:
            place = int(np.searchsorted(marks, second, side="right")) - 1
            if place >= 0 and second - marks[place] < (float(np.median(np.diff(marks))) if len(marks) > 1 else 1.0):
                return float(marks[place])
        return None

    return at


def _folded(one: prometheus.Series, at: Callable[[float], float | None]) -> prometheus.Series:
    summed: dict[float, float] = defaultdict(float)
    for second, value in one.points:
        if (moment := at(second)) is not None:
            summed[moment] += value
    return prometheus.Series(one.labels, sorted(summed.items()))


def _called(part: Part, parent: Part | None) -> Part:
    """Where nobody recorded the call itself, the component of the parent made it."""
    if part.caller or parent is None or parent.caller or parent.about == part.about:
        return part
    return dataclasses.replace(part, caller=parent.about)


def _part(row: Row, where: str) -> Part:
    parent, start_ns = row.get("parent_span_id", row.get("parent_id")), _nanoseconds(row, "start", where)
    end_ns = _nanoseconds(row, "end", where) if {"end", "end_ns"} & set(row) else start_ns + _nanoseconds(row, "duration", where)
    if end_ns < start_ns:
        raise BadFileError(f"{where}, column {'/'.join(name for name in ENDS if name in row)}: the span ends before it starts")
    trace = _text(row, "trace_id", where)
    _text(row, "span_id", where)
    component = str(row.get("component") or "") or _text(row, "service" if "service" in row else "component", where)
    return traced.part({
        "trace_id": trace, "parent_span_id": f"{trace}/{parent}" if parent else "", "component": component, "start_ns": start_ns, "end_ns": end_ns,
        "kind": _named(row, "kind", get_args(SpanKind), where), "status": _named(row, "status", get_args(Status), where),
        "attributes": _attributes(row, where),
    })  # fmt: skip


def _nanoseconds(row: Row, name: str, where: str) -> int:
    exact = f"{name}_ns"
    try:
        return int(row[exact]) if exact in row else round(float(row[name]) * _S)
    except (TypeError, ValueError, OverflowError):
        used, unit = (exact, "nanoseconds") if exact in row else (name, "seconds")
        raise BadFileError(f"{where}, column {used}: {row[used]!r} is no number of {unit}") from None


def _text(row: Row, name: str, where: str) -> str:
    if row[name] in ("", None):
        raise BadFileError(f"{where}, column {name}: it is empty")
    return str(row[name])


def _named(row: Row, name: str, known: tuple[str, ...], where: str) -> str:
    """One of the names of OpenTelemetry, with or without its prefix; nothing is one as well."""
    said = str(row.get(name) or "").upper().removeprefix("STATUS_CODE_").removeprefix("SPAN_KIND_")
    if said and said not in known:
        raise BadFileError(f"{where}, column {name}: {row[name]!r} is none of {', '.join(known)}, nor empty")
    return said


def _attributes(row: Row, where: str) -> str:
    said = row.get("attributes") or {}
    try:
        found = msgspec.json.decode(said, type=dict[str, Any]) if isinstance(said, str) else msgspec.convert(said, dict[str, Any])
        msgspec.convert(found, traced.Attributes)
    except msgspec.MsgspecError as error:
        raise BadFileError(f"{where}, column attributes: {error}") from None
    return msgspec.json.encode(found | ({PEER: row["peer"]} if row.get("peer") else {})).decode()


def _rows(path: Path) -> Iterator[tuple[str, Row]]:
    """Every span as the file has it, and where it stands."""
    plain = path.name.removesuffix(".gz")
    if path.name.endswith(PARQUET):
        yield from _of_parquet(path)
    elif plain.endswith((CSV, *JSON)):
        with gzip.open(path, "rt", newline="") if plain != path.name else path.open(newline="") as file:
            try:
                yield from (_of_csv if plain.endswith(CSV) else _of_json)(path, file)
            except (csv.Error, UnicodeDecodeError, EOFError, zlib.error, gzip.BadGzipFile) as error:
                raise BadFileError(f"{path} cannot be read: {error}") from None
    else:
        raise BadFileError(f"{path}: spans are read from {CSV} and {', '.join(JSON)}, each perhaps with .gz, and from {PARQUET}")


def _of_csv(path: Path, file: Iterable[str]) -> Iterator[tuple[str, Row]]:
    rows = csv.DictReader(file)
    _require(rows.fieldnames or (), f"{path}, line 1")
    for row in rows:
        where = f"{path}, line {rows.line_num}"
        if None in row or None in row.values():
            raise BadFileError(f"{where}: it has not as many values as line 1 has columns")
        yield where, row


def _of_json(path: Path, file: Iterable[str]) -> Iterator[tuple[str, Row]]:
    for number, line in enumerate(file, start=1):
        where = f"{path}, line {number}"
        try:
            row = msgspec.json.decode(line, type=dict[str, Any])
        except msgspec.DecodeError as error:
            raise BadFileError(f"{where}: {error}; each line is a JSON object") from None
        _require(row, where)
        yield where, row


def _of_parquet(path: Path) -> Iterator[tuple[str, Row]]:
    try:
        rows = pq.read_table(path).to_pylist()
    except (OSError, ValueError) as error:
        raise BadFileError(f"{path} cannot be read as Parquet ({error}): export its rows as {CSV} or {JSON[0]}") from None
    for number, row in enumerate(rows, start=1):
        _require(row, f"{path}, row {number}")
        yield f"{path}, row {number}", row


def _require(columns: Collection[str], where: str) -> None:
    if missing := [" or ".join(names) for names in NEEDED if not any(name in columns for name in names)]:
        raise BadFileError(f"{where}: there is no {', '.join(missing)}; there is {', '.join(columns) or 'nothing'}")
