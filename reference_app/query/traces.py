"""Spans read back from the collector's Parquet segments by DuckDB, beside a collector that adds, merges and retires segments.

Times at this API are Unix seconds (`Span` itself has nanoseconds). A span that was delivered twice is read once.
"""

from __future__ import annotations

import contextlib
import re
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import duckdb
import msgspec

from reference_app.contract.spans import COLUMNS, PEER, SEGMENT_END, Span
from reference_app.kit import files

MARGIN_S = 60.0
"""A trace that began in the window is found whole when its spans were written within this time of one another."""
ATTEMPTS = 10
"""How often a query begins anew because a segment that it had listed was retired."""
_SETTINGS: dict[str, str | bool | int | float | list[str]] = {
    "threads": 1,
    "memory_limit": "512MB",
    "temp_directory": str(Path(tempfile.gettempdir()) / "failwhale-duckdb"),
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
}
_TRACE_ID = re.compile(r"[0-9a-f]{32}")
_NS_MAX = (1 << 63) - 1
_DISTINCT = f"""(
    SELECT DISTINCT ON (trace_id, span_id) {", ".join(COLUMNS)} FROM read_parquet(getvariable('segments'))
    WHERE start_ns BETWEEN getvariable('first_ns') AND getvariable('last_ns')
)"""  # noqa: S608

_SUMMARIES = f"""
WITH traces AS (
    SELECT trace_id,
        first(name ORDER BY parent_span_id <> '', start_ns) AS root_name,
        first(service ORDER BY parent_span_id <> '', start_ns) AS root_service,
        min(start_ns) / 1e9 AS start,
        first(end_ns - start_ns ORDER BY parent_span_id <> '', start_ns) / 1e9 AS seconds,
        (max(end_ns) - min(start_ns)) / 1e9 AS whole_seconds,
        count(*) AS spans,
        list_sort(list(DISTINCT service)) AS services,
        count(*) FILTER (status = 'ERROR') AS errors
    FROM {_DISTINCT} GROUP BY trace_id
)
SELECT * FROM traces
WHERE start >= $since AND start <= $until AND ($service IS NULL OR list_contains(services, $service)) AND errors >= $errors
ORDER BY """  # noqa: S608

_EDGES = f"""
WITH spans AS (
    SELECT trace_id, span_id, parent_span_id, kind, service, component, status = 'ERROR' AS failed,
        coalesce(json_extract_string(attributes, '$."{PEER}"'), '') AS peer
    FROM {_DISTINCT} WHERE start_ns / 1e9 BETWEEN $since AND $until
), answered AS (
    SELECT caller.trace_id, caller.span_id, caller.service AS caller, callee.service AS callee,
        coalesce(nullif(caller.peer, ''), callee.component) AS peer, caller.failed OR callee.failed AS failed
    FROM spans AS callee JOIN spans AS caller ON caller.trace_id = callee.trace_id AND caller.span_id = callee.parent_span_id
    WHERE callee.service <> caller.service AND callee.kind = 'SERVER'
), unanswered AS (
    SELECT service AS caller, regexp_replace(peer, '-[0-9]+(-primary|-replica)?$', '') AS callee, peer, failed
    FROM spans ANTI JOIN answered USING (trace_id, span_id)
    WHERE peer <> '' AND kind IN ('CLIENT', 'PRODUCER', 'CONSUMER')
)
SELECT caller, callee, peer, count(*) AS calls, count(*) FILTER (failed) AS errors
FROM (SELECT caller, callee, peer, failed FROM answered UNION ALL FROM unanswered)
GROUP BY ALL ORDER BY ALL
"""  # noqa: S608


@dataclass(frozen=True)
class TraceSummary:
    """`root_*` and `seconds` are those of the first span: what the user waited for. `whole_seconds` lasts until the end of
    the last span, work behind the event stream included. `services` is sorted; `errors` counts spans that failed.
    """

    trace_id: str
    root_name: str
    root_service: str
    start: float
    seconds: float
    whole_seconds: float
    spans: int
    services: tuple[str, ...]
    errors: int


@dataclass(frozen=True)
class Edge:
    """Observed calls. `caller` and `callee` are services or groups of stores (`tweets`, `tweets-db`), `peer` the component called."""

    caller: str
    callee: str
    peer: str
    calls: int
    errors: int


class Traces:
    """The traces in a folder. A folder that does not exist has none."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def by_id(self, trace_id: str) -> list[Span]:
        """All spans of a trace by their start, none when it is not here. Raises ValueError for what is no trace id."""
        wanted = trace_id.strip().lower()
        if not _TRACE_ID.fullmatch(wanted):
            raise ValueError(f"{trace_id!r} is no trace id: one has 32 hexadecimal digits")
        query = f"SELECT * FROM {_DISTINCT} WHERE trace_id = $wanted ORDER BY start_ns, parent_span_id, span_id"  # noqa: S608
        return [_span(row) for row in self._rows(query, {"wanted": wanted})]

    def slowest(
        self, *, since_s: float | None = None, until_s: float | None = None, service: str | None = None, limit: int = 20
    ) -> list[TraceSummary]:
        """Traces that began in [since_s, until_s] and touch the service, slowest first."""
        return self._summaries("seconds DESC", since_s, until_s, service, limit)

    def failing(
        self, *, since_s: float | None = None, until_s: float | None = None, service: str | None = None, limit: int = 20
    ) -> list[TraceSummary]:
        """Those in which a span failed, newest first."""
        return self._summaries("start DESC", since_s, until_s, service, limit, errors=1)

    def recent(
        self, *, since_s: float | None = None, until_s: float | None = None, service: str | None = None, limit: int = 20
    ) -> list[TraceSummary]:
        """Newest first."""
        return self._summaries("start DESC", since_s, until_s, service, limit)

    def edges(self, since_s: float | None = None, until_s: float | None = None) -> list[Edge]:
        """Who called whom in spans that began in [since_s, until_s]: calls between services, and of stores and the stream."""
        window = _window(since_s, until_s)
        return [Edge(*row) for row in self._rows(_EDGES, window, **window)]

    def _summaries(
        self, order: Literal["seconds DESC", "start DESC"], since_s: float | None, until_s: float | None, service: str | None, limit: int,
        *, errors: int = 0,
    ) -> list[TraceSummary]:  # fmt: skip
        window = _window(since_s, until_s)
        parameters = window | {"service": service, "errors": errors, "limit": limit}
        return [_summary(row) for row in self._rows(f"{_SUMMARIES} {order}, trace_id LIMIT $limit", parameters, **window)]

    def _rows(self, query: str, parameters: dict[str, Any], *, since: float = 0, until: float = float("inf")) -> list[tuple[Any, ...]]:
        """Of spans that began in the window, and somewhat around it."""
        first, last = max(0, since - MARGIN_S), until + MARGIN_S
        variables = {"first_ns": int(first * 1e9), "last_ns": int(min(last * 1e9, _NS_MAX))}
        for _ in range(ATTEMPTS - 1):
            with contextlib.suppress(duckdb.IOException):  # a listed segment was retired meanwhile
                return _answer(variables, self._segments(first, last), query, parameters)
        return _answer(variables, self._segments(first, last), query, parameters)

    def _segments(self, first: float, last: float) -> list[str]:
        """Files that may hold spans of the window: a name begins with the first start, a file's time is that of writing."""
        return [str(path) for path in self._folder.glob("[0-9]*.parquet") if _may_hold(path, first, last)]


def _may_hold(path: Path, first: float, last: float) -> bool:
    try:
        return int(path.name.partition("-")[0]) / 1e9 <= last and path.stat().st_mtime >= first
    except FileNotFoundError:
        return False


def _window(since_s: float | None, until_s: float | None) -> dict[str, float]:
    return {"since": 0.0 if since_s is None else since_s, "until": float("inf") if until_s is None else until_s}


def _answer(variables: dict[str, Any], segments: list[str], query: str, parameters: dict[str, Any]) -> list[tuple[Any, ...]]:
    """A segment that a crash left in part hides no other."""
    try:
        return _ask(variables | {"segments": segments}, query, parameters)
    except duckdb.InvalidInputException:
        whole = [path for path in segments if _is_whole(Path(path))]
        if whole == segments:
            raise
        return _ask(variables | {"segments": whole}, query, parameters)


def _is_whole(path: Path) -> bool:
    with contextlib.suppress(FileNotFoundError):
        return files.ends_with(path, SEGMENT_END)
    return False


def _ask(variables: dict[str, Any], query: str, parameters: dict[str, Any]) -> list[tuple[Any, ...]]:
    if not variables["segments"]:
        return []
    with duckdb.connect(":memory:", config=_SETTINGS) as connection:
        for name, value in variables.items():
            connection.execute(f"SET VARIABLE {name} = $value", {"value": value})
        return connection.execute(query, parameters).fetchall()


def _summary(row: tuple[Any, ...]) -> TraceSummary:
    return msgspec.convert(dict(zip(TraceSummary.__dataclass_fields__, row, strict=True)), TraceSummary)


def _span(row: tuple[Any, ...]) -> Span:
    values = dict(zip(COLUMNS, row, strict=True))
    return Span(**values | {"attributes": msgspec.json.decode(values["attributes"])})
