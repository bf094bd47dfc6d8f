"""Any case from files: signals as CSV, calls as CSV. docs/diagnosis.md has the formats."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import get_args

import numpy as np

from postmortems.diagnosis import spanfile
from postmortems.diagnosis.model import BadFileError, Case, Family, Series, Symptom, Values
from postmortems.diagnosis.moments import Moments

TIME = "time"
FAMILIES: tuple[Family, ...] = get_args(Family)


def case(normal: Path, anomalous: Path, *, graph: Path | None = None, symptom: str | None = None, spans: Path | None = None) -> Case:
    """Columns are `COMPONENT:METRIC`, `CALLER>CALLEE:METRIC`, or `COMPONENT>:METRIC` for calls of which nobody says to whom; those that only
    one of the files has are left out. What spans tell is added as far as no column tells it. Raises BadFileError and OSError.
    """
    before, after = _columns(normal), _columns(anomalous)
    both = [name for name in before if name in after]
    if not both and not spans:
        raise BadFileError(f"{normal} and {anomalous} have no column in common: the ranking compares the two periods column by column")
    series = tuple(_series(name, before[name], after[name]) for name in both)
    told = spanfile.read(spans) if spans else None
    if told:
        from_spans = spanfile.series(told, Moments(_times(normal), _times(anomalous)))
        series += tuple(one for one in from_spans if column(one) not in both)
    seen = frozenset((s.caller, s.component) for s in series if s.caller)
    calls = _calls(graph) if graph else seen | (told.calls if told else frozenset())
    made = Case(series, calls)
    return Case(series, calls, _symptom(symptom, made.components)) if symptom else made


def alerts(path: Path) -> Counter[str]:
    """Alerts by the component that they name, from a file that has a column of that name. Raises BadFileError and OSError."""
    rows = _rows(path)
    head = next(rows, [])
    if "component" not in head:
        raise BadFileError(f"{path}: the first line has to name a column component")
    return Counter(dict(zip(head, row, strict=False)).get("component", "") for row in rows if row)


def write(made: Case, moments: Moments, *, normal: Path, anomalous: Path, graph: Path) -> None:
    """The files of which `case` makes the same case again, but for its symptom; at these moments."""
    _write_columns(normal, made.series, [moments.normal, *(series.normal for series in made.series)])
    _write_columns(anomalous, made.series, [moments.anomalous, *(series.anomalous for series in made.series)])
    with graph.open("w", newline="") as file:
        csv.writer(file).writerows([("caller", "callee"), *sorted(made.calls)])


def _write_columns(path: Path, series: Sequence[Series], columns: Sequence[Values]) -> None:
    moments = (["" if np.isnan(value) else repr(float(value)) for value in row] for row in zip(*columns, strict=True))
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([[TIME, *map(column, series)], *moments])


def column(series: Series) -> str:
    """The name of a signal in a file."""
    if series.outgoing:
        return f"{series.component}>:{series.metric}"
    return f"{series.caller}>{series.component}:{series.metric}" if series.caller else f"{series.component}:{series.metric}"


def _columns(path: Path) -> dict[str, Values]:
    head, moments = _read(path)
    return {name: _values(path, name, [row[at] for row in moments]) for at, name in enumerate(head) if ":" in name}


def _times(path: Path) -> Values:
    head, moments = _read(path)
    if TIME not in head:
        raise BadFileError(f"{path}, line 1: no column {TIME}, by whose Unix seconds spans are cut into the two periods")
    times = _values(path, TIME, [row[head.index(TIME)] for row in moments])
    for line, (one, before) in enumerate(zip(times, [-np.inf, *times], strict=False), start=2):
        if not one > before:
            raise BadFileError(f"{path}, line {line}, column {TIME}: a moment is later than the one before it, and never empty")
    return times


def _read(path: Path) -> tuple[list[str], list[list[str]]]:
    rows = list(_rows(path))
    if len(rows) < 2:
        raise BadFileError(f"{path} has no rows: the first line names the columns, each other line is a moment")
    head, moments = rows[0], rows[1:]
    for number, row in enumerate(moments, start=2):
        if len(row) != len(head):
            raise BadFileError(f"{path}, line {number}: {len(row)} values for {len(head)} columns")
    return head, moments


def _values(path: Path, name: str, texts: Sequence[str]) -> Values:
    return np.array([_value(text, f"{path}, line {line}, column {name}") for line, text in enumerate(texts, start=2)])


def _value(text: str, where: str) -> float:
    """What is infinite is no measurement, as in what Prometheus tells."""
    try:
        value = float(text) if text.strip() else np.nan
    except ValueError as error:
        raise BadFileError(f"{where}: {error}; a value is a number, or nothing where there was none") from None
    return value if np.isfinite(value) else np.nan


def _series(name: str, before: Values, after: Values) -> Series:
    who, _, metric = name.rpartition(":")
    caller, arrow, callee = who.partition(">")
    if not arrow:
        return Series(who, metric, before, after)
    return Series(callee, metric, before, after, caller=caller) if callee else Series(caller, metric, before, after, outgoing=True)


def _calls(path: Path) -> frozenset[tuple[str, str]]:
    rows = _rows(path)
    head = next(rows, [])
    if not {"caller", "callee"} <= set(head):
        raise BadFileError(f"{path}: the first line has to name the columns caller and callee")
    return frozenset(_call(path, line, dict(zip(head, row, strict=False))) for line, row in enumerate(rows, start=2) if row)


def _call(path: Path, line: int, row: dict[str, str]) -> tuple[str, str]:
    caller, callee = row.get("caller"), row.get("callee")
    if not caller or not callee:
        raise BadFileError(f"{path}, line {line}: a call is of a caller and a callee")
    return caller, callee


def _rows(path: Path) -> Iterator[list[str]]:
    with path.open(newline="") as file:
        try:
            yield from csv.reader(file)
        except (csv.Error, UnicodeDecodeError) as error:
            raise BadFileError(f"{path} cannot be read as CSV: {error}") from None


def _symptom(text: str, components: Sequence[str]) -> Symptom:
    component, _, family = text.partition("=")
    if component not in components:
        raise BadFileError(f"the symptom is of {component!r}, of which the files have no signal; they have {', '.join(components)}")
    if family and family not in FAMILIES:
        raise BadFileError(f"the symptom is {family!r}; it is one of {', '.join(FAMILIES)}")
    return Symptom(component, next((known for known in FAMILIES if known == family), "latency"))
