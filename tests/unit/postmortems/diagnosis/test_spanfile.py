"""Spans from files: whatever wrote them, they say what the collector's own would."""

from __future__ import annotations

import csv
import gzip
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from postmortems.diagnosis import files, ranking, spanfile, voices
from postmortems.diagnosis.model import GAP, BadFileError, Series
from postmortems.diagnosis.moments import Moments

T0, NORMAL_S, ASKED_S = 1_795_229_100, 60, 20
MOMENTS = Moments(T0 + np.arange(0.0, NORMAL_S), T0 + 100 + np.arange(0.0, ASKED_S))
Row = dict[str, object]
HEAD = "trace_id,span_id,parent_id,service,start,duration,status"
GOOD = f"a,1,,front,{T0}.5,0.01,"


def recorded(name: str, parent: str, kind: str, component: str, start: float, seconds: float, *, peer: str = "", failed: bool = False, slow: bool = False) -> Row:  # fmt: skip
    """A row as the collector writes it."""
    attributes = ({"server.address": peer} if peer else {}) | ({"failwhale.edge_case": "slow"} if slow else {})
    start_ns = round(start * 1e9)
    return {
        "trace_id": f"trace-{round(start)}", "span_id": name, "parent_span_id": parent, "name": name, "kind": kind, "service": component.rpartition("-")[0],
        "component": component, "start_ns": start_ns, "end_ns": start_ns + round(seconds * 1e9), "status": "ERROR" if failed else "UNSET",
        "status_message": "", "attributes": json.dumps(attributes),
    }  # fmt: skip


def second(at: float, *, bad: bool) -> list[Row]:
    """What one second records: the front asks the back and gets it late, the back asks a store, which fails. Ids are those of any second."""
    wait = 0.3 if bad else 0.002
    return [
        recorded("1", "", "SERVER", "front-0", at, wait + 0.03, failed=bad, slow=bad),
        recorded("2", "1", "CLIENT", "front-0", at, wait + 0.02 + at % 3 / 1e4, peer="back-0", failed=bad, slow=bad),
        recorded("3", "2", "SERVER", "back-0", at + wait, 0.02, failed=bad, slow=bad),
        recorded("4", "3", "CLIENT", "back-0", at + wait, 0.01, peer="store-0", failed=bad, slow=bad),
    ]


ROWS = [row for at in MOMENTS.normal for row in second(at + 0.1, bad=False)] + [row for at in MOMENTS.anomalous for row in second(at + 0.1, bad=True)]  # fmt: skip


def as_csv(path: Path, rows: list[Row] = ROWS) -> Path:
    with gzip.open(path, "wt", newline="") if path.suffix == ".gz" else path.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return path


def as_json(path: Path) -> Path:
    text = "".join(f"{json.dumps(row)}\n" for row in ROWS)
    path.write_bytes(gzip.compress(text.encode()) if path.suffix == ".gz" else text.encode())
    return path


def as_parquet(path: Path) -> Path:
    pq.write_table(pa.Table.from_pylist(ROWS), path)
    return path


def told(path: Path, moments: Moments = MOMENTS) -> dict[tuple[str, str, str], float]:
    """Mean of every signal, asked about."""
    return {who(one): round(float(np.nanmean(one.anomalous)), 4) for one in spanfile.series(spanfile.read(path), moments)}


def who(one: Series) -> tuple[str, str, str]:
    return one.caller, one.component, one.metric


FOUND = {
    ("back-0", "store-0", voices.BEGAN): 0.2,
    ("", "store-0", voices.SPENT): 0.01,
    ("", "back-0", voices.SPENT): 0.3101,
    ("", "front-0", voices.SPENT): 0.0099,
    ("front-0", "back-0", GAP): 0.3001,
}


@pytest.mark.parametrize(
    ("name", "write"),
    [("s.csv", as_csv), ("s.csv.gz", as_csv), ("s.ndjson", as_json), ("s.jsonl.gz", as_json), ("s.parquet", as_parquet)],
)
def test_the_collectors_spans_say_the_same_in_every_form(tmp_path: Path, name: str, write: Callable[[Path], Path]) -> None:
    path = write(tmp_path / name)
    assert told(path) == FOUND
    assert spanfile.read(path).calls == {("front-0", "back-0"), ("back-0", "store-0")}


def test_moments_that_are_further_apart_than_seconds_take_all_that_ended_since(tmp_path: Path) -> None:
    coarse = Moments(MOMENTS.normal[::10], MOMENTS.anomalous[::10])
    found = told(as_csv(tmp_path / "s.csv"), coarse)
    assert found["front-0", "back-0", GAP] == 0.3001
    assert found["back-0", "store-0", voices.BEGAN] == 1.0


def test_the_columns_of_others_are_understood_and_a_parent_of_another_service_is_the_caller(tmp_path: Path) -> None:
    path = tmp_path / "s.csv"
    rows = [HEAD, f"a,1,,front,{T0}.5,0.01,ok", f"b,1,,front,{T0 + 100}.5,0.5,STATUS_CODE_ERROR", f"b,2,1,back,{T0 + 100}.6,0.3,Error"]
    path.write_text("\n".join(rows))
    assert spanfile.read(path).calls == {("front", "back")}
    assert told(path) == {("front", "back", voices.BEGAN): 0.01}


def test_a_case_is_diagnosed_from_its_spans_alone(tmp_path: Path) -> None:
    periods = [tmp_path / "normal.csv", tmp_path / "anomalous.csv"]
    for path, moments in zip(periods, (MOMENTS.normal, MOMENTS.anomalous), strict=True):
        path.write_text("\n".join(("time", *map(str, moments))))
    made = files.case(*periods, spans=as_csv(tmp_path / "s.csv"))
    found = ranking.rank(made)
    assert not found.no_cause
    assert {one.component for one in found.ranked[:2]} == {"store-0", "back-0"}
    assert made.calls == {("front-0", "back-0"), ("back-0", "store-0")}
    assert any("queued before it" in reason for one in found.ranked if one.component == "back-0" for reason in one.reasons_for)


def test_what_a_column_tells_is_not_told_again_and_a_graph_that_is_given_is_the_graph(tmp_path: Path) -> None:
    name = f"front-0>back-0:{GAP}"
    for period, moments in (("normal", MOMENTS.normal), ("anomalous", MOMENTS.anomalous)):
        (tmp_path / f"{period}.csv").write_text("\n".join((f"time,{name}", *(f"{at},0.002" for at in moments))))
    (tmp_path / "graph.csv").write_text("caller,callee\nfront-0,back-0\n")
    paths = (tmp_path / "normal.csv", tmp_path / "anomalous.csv")
    made = files.case(*paths, graph=tmp_path / "graph.csv", spans=as_csv(tmp_path / "s.csv"))
    (gap,) = (one for one in made.series if files.column(one) == name)
    assert float(gap.anomalous.max()) == 0.002
    assert made.calls == {("front-0", "back-0")}


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ((HEAD.replace("service,", ""), GOOD), r"s\.csv, line 1: there is no component or service; there is trace_id, span_id"),
        ((HEAD, GOOD, "a,2,1"), r"s\.csv, line 3: it has not as many values as line 1 has columns"),
        ((HEAD, GOOD, GOOD + ",more"), r"s\.csv, line 3: it has not as many values as line 1 has columns"),
        ((HEAD, GOOD.replace(f"{T0}.5", "noon")), r"s\.csv, line 2, column start: 'noon' is no number of seconds"),
        ((HEAD, GOOD.replace("0.01", "nan")), r"s\.csv, line 2, column duration: 'nan' is no number of seconds"),
        ((HEAD, GOOD.replace("0.01", "-1")), r"s\.csv, line 2, column duration: the span ends before it starts"),
        ((HEAD, GOOD, GOOD + "boom"), r"s\.csv, line 3, column status: 'boom' is none of UNSET, OK, ERROR, nor empty"),
        ((HEAD, GOOD.replace("a,1", "a,")), r"s\.csv, line 2, column span_id: it is empty"),
        ((HEAD, GOOD.replace("front", "")), r"s\.csv, line 2, column service: it is empty"),
        ((f"{HEAD},kind", f"{GOOD},caller"), r"s\.csv, line 2, column kind: 'caller' is none of INTERNAL, SERVER, CLIENT"),
        ((f"{HEAD},attributes", f"{GOOD},none"), r"s\.csv, line 2, column attributes: JSON is malformed"),
        ((HEAD,), r"s\.csv has no spans"),
        ((), r"s\.csv, line 1: there is no trace_id, span_id, .*; there is nothing"),
    ],
)
def test_what_is_wrong_is_named_by_file_line_and_column(tmp_path: Path, lines: tuple[str, ...], message: str) -> None:
    path = tmp_path / "s.csv"
    path.write_text("\n".join(lines))
    with pytest.raises(BadFileError, match=message):
        spanfile.read(path)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("s.txt", b"", r"s\.txt: spans are read from \.csv and \.ndjson"),
        ("s.ndjson", b'{"trace_id": "a"}\n', r"s\.ndjson, line 1: there is no span_id, parent_span_id or parent_id"),
        ("s.ndjson", b"[1]\n", r"s\.ndjson, line 1: Expected `object`, got `array`; each line is a JSON object"),
        ("s.csv.gz", b"plain", r"s\.csv\.gz cannot be read: Not a gzipped file"),
        ("s.csv.gz", gzip.compress(HEAD.encode())[:-9], r"s\.csv\.gz cannot be read"),
        ("s.csv", b"\xff\xfe", r"s\.csv cannot be read: 'utf-8' codec"),
        ("s.parquet", b"PAR?", r"s\.parquet cannot be read as Parquet .*: export its rows as \.csv or \.ndjson"),
    ],
)
def test_a_file_of_another_kind_is_named(tmp_path: Path, name: str, content: bytes, message: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(BadFileError, match=message):
        spanfile.read(tmp_path / name)


def test_spans_of_another_time_are_not_taken_for_silence(tmp_path: Path) -> None:
    elsewhere = Moments(MOMENTS.normal - 9000, MOMENTS.anomalous - 9000)
    with pytest.raises(BadFileError, match=r"none of its 320 spans ended in either period; `time` is in Unix seconds"):
        spanfile.series(spanfile.read(as_csv(tmp_path / "s.csv")), elsewhere)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("second,a:b\n1,2\n2,2\n", r"normal\.csv, line 1: no column time"),
        ("time,a:b\n1,2\n1,2\n", r"normal\.csv, line 3, column time: a moment is later than the one before it"),
        ("time,a:b\n,2\n", r"normal\.csv, line 2, column time: a moment is later"),
        ("time,a:b\nnoon,2\n", r"normal\.csv, line 2, column time: could not convert string"),
    ],
)
def test_the_periods_have_to_say_their_time(tmp_path: Path, content: str, message: str) -> None:
    (tmp_path / "normal.csv").write_text(content)
    with pytest.raises(BadFileError, match=message):
        files.case(tmp_path / "normal.csv", tmp_path / "normal.csv", spans=as_csv(tmp_path / "s.csv"))
