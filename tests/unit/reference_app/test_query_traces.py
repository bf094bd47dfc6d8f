"""Traces read back from segments that the collector's own writer wrote."""

from __future__ import annotations

import json
import os
import threading
from pathlib import Path

import duckdb
import pytest

from reference_app.collector.rows import Row
from reference_app.collector.segments import MERGE_AT, Segments
from reference_app.query import traces
from reference_app.query.traces import Edge, Traces

NOW = 1_800_000_000


def a_trace(number: int, at: float, *, slow: int = 1, failed: bool = False) -> list[Row]:
    """A post: gateway, tweets and its database, the stream, fan-out."""

    def row(
        span: int, parent: int, name: str, kind: str, service: str, start_ms: int, end_ms: int, status: str = "UNSET", **peer: str
    ) -> Row:
        start, end = (int(at * 1e9) + ms * 1_000_000 for ms in (start_ms, end_ms * slow))
        attributes = json.dumps({"server.address": peer["peer"]} if peer else {})
        return (f"{number:032x}", f"{span:016x}", f"{parent:016x}" if parent else "", name, kind, service, f"{service}-0", start, end, status, "", attributes)  # fmt: skip

    return [
        row(1, 0, "POST /tweets", "SERVER", "gateway", 0, 30),
        row(2, 1, "POST /internal/tweets", "CLIENT", "gateway", 1, 29, peer="tweets-0"),
        row(3, 2, "POST /internal/tweets", "SERVER", "tweets", 2, 28, "ERROR" if failed else "UNSET"),
        row(4, 3, "insert tweets-db-0-primary", "CLIENT", "tweets", 3, 9, "ERROR" if failed else "UNSET", peer="tweets-db-0-primary"),
        row(5, 3, "publish tweets.posted", "PRODUCER", "tweets", 50, 60, peer="events-0"),
        row(6, 5, "process tweets.posted", "CONSUMER", "fanout", 65, 90, peer="events-0"),
    ]  # fmt: skip


def write(folder: Path, rows: list[Row], *, at: float = NOW) -> None:
    path = Segments(folder).write(rows)
    os.utime(path, (at + 1, at + 1))


@pytest.fixture
def three(tmp_path: Path) -> Traces:
    """Three traces, 100 s apart; the second is slow, the third failed. The first lies in two segments."""
    first = a_trace(1, NOW)
    write(tmp_path, first[:4])
    write(tmp_path, first[4:])
    write(tmp_path, a_trace(2, NOW + 100, slow=10), at=NOW + 100)
    write(tmp_path, a_trace(3, NOW + 200, failed=True), at=NOW + 200)
    return Traces(tmp_path)


def numbers(found: list) -> list[int]:
    return [int(summary.trace_id, 16) for summary in found]


def test_a_trace_comes_back_whole_and_in_order_from_all_its_segments(three: Traces) -> None:
    spans = three.by_id(f"{1:032x}")
    assert [int(span.span_id, 16) for span in spans] == [1, 2, 3, 4, 5, 6]
    assert spans[3].attributes == {"server.address": "tweets-db-0-primary"}
    assert (spans[0].kind, spans[0].start_ns, spans[0].seconds) == ("SERVER", NOW * 10**9, 0.03)


def test_an_id_may_be_written_in_capitals(three: Traces) -> None:
    assert three.by_id(f" {1:032X}") == three.by_id(f"{1:032x}")


@pytest.mark.parametrize("wrong", ["", "1", "g" * 32, f"{1:033x}", "'; DROP TABLE spans; --"])
def test_what_is_no_trace_id_is_refused_with_a_sentence(three: Traces, wrong: str) -> None:
    with pytest.raises(ValueError, match="is no trace id: one has 32 hexadecimal digits"):
        three.by_id(wrong)


def test_an_unknown_trace_has_no_spans(three: Traces) -> None:
    assert three.by_id(f"{9:032x}") == []


def test_a_folder_without_segments_has_no_traces(tmp_path: Path) -> None:
    for folder in (tmp_path, tmp_path / "never made"):
        nothing = Traces(folder)
        assert nothing.by_id(f"{1:032x}") == nothing.slowest() == nothing.failing() == nothing.recent() == nothing.edges() == []


def test_slowest_recent_and_failing_order_by_what_they_are_named_after(three: Traces) -> None:
    assert numbers(three.slowest()) == [2, 1, 3]
    assert numbers(three.recent()) == [3, 2, 1]
    assert numbers(three.failing()) == [3]
    assert numbers(three.recent(limit=2)) == [3, 2]


def test_a_summary_tells_the_answer_from_the_work_behind_it(three: Traces) -> None:
    (summary,) = three.failing()
    assert (summary.root_service, summary.root_name, summary.start) == ("gateway", "POST /tweets", NOW + 200)
    assert (summary.seconds, summary.whole_seconds) == (0.03, 0.09)
    assert (summary.spans, summary.errors, summary.services) == (6, 2, ("fanout", "gateway", "tweets"))


def test_only_traces_that_began_in_the_window_are_listed(three: Traces) -> None:
    assert numbers(three.recent(since_s=NOW + 50)) == [3, 2]
    assert numbers(three.recent(until_s=NOW + 50)) == [1]
    assert numbers(three.recent(since_s=NOW + 50, until_s=NOW + 150)) == [2]


def test_only_traces_that_touch_the_service_are_listed(three: Traces) -> None:
    assert len(three.recent(service="fanout")) == 3
    assert three.recent(service="search") == []


def test_edges_are_calls_between_services_and_to_stores(three: Traces) -> None:
    assert three.edges() == [
        Edge("fanout", "events", "events-0", 3, 0),
        Edge("gateway", "tweets", "tweets-0", 3, 1),
        Edge("tweets", "events", "events-0", 3, 0),
        Edge("tweets", "tweets-db", "tweets-db-0-primary", 3, 1),
    ]
    assert [edge.calls for edge in three.edges(NOW + 50, NOW + 150)] == [1, 1, 1, 1]


def test_a_call_that_nobody_answered_is_an_edge_all_the_same(tmp_path: Path) -> None:
    write(tmp_path, a_trace(1, NOW)[:2])
    assert Traces(tmp_path).edges() == [Edge("gateway", "tweets", "tweets-0", 1, 0)]


def test_a_span_that_was_delivered_twice_is_read_once(tmp_path: Path) -> None:
    for _ in range(2):
        write(tmp_path, a_trace(1, NOW))
    assert len(Traces(tmp_path).by_id(f"{1:032x}")) == 6
    assert Traces(tmp_path).recent()[0].spans == 6


def test_a_trace_that_a_client_began_has_the_first_span_as_root(tmp_path: Path) -> None:
    rows = [(*row[:2], row[2] or "f" * 16, *row[3:]) for row in a_trace(1, NOW)]
    write(tmp_path, rows)
    assert Traces(tmp_path).recent()[0].root_name == "POST /tweets"


class Behind(Traces):
    """Lists a segment that is retired before it is read, as often as told."""

    def __init__(self, folder: Path, times: int) -> None:
        super().__init__(folder)
        self._gone, self._times = str(folder / "1-1.parquet"), times

    def _segments(self, first: float, last: float) -> list[str]:
        self._times -= 1
        return [*super()._segments(first, last), *([self._gone] if self._times >= 0 else [])]


@pytest.mark.parametrize("left", [b"", b"PAR1 and a part"])
def test_a_segment_that_a_crash_left_in_part_hides_no_other(tmp_path: Path, left: bytes) -> None:
    write(tmp_path, a_trace(1, NOW))
    (tmp_path / "1-9.parquet").write_bytes(left)
    assert numbers(Traces(tmp_path).recent()) == [1]


def test_a_query_begins_anew_when_a_segment_was_retired_under_it(tmp_path: Path) -> None:
    write(tmp_path, a_trace(1, NOW))
    assert numbers(Behind(tmp_path, traces.ATTEMPTS - 1).recent()) == [1]
    with pytest.raises(duckdb.IOException, match=r"1-1\.parquet"):
        Behind(tmp_path, traces.ATTEMPTS).recent()


def test_readers_see_everything_while_segments_are_added_and_merged(tmp_path: Path) -> None:
    folder, done = Segments(tmp_path), threading.Event()
    folder.write(a_trace(1, NOW))

    def churn() -> None:
        while not done.is_set():
            for _ in range(MERGE_AT):
                folder.write(a_trace(2, NOW + 1))
            folder.tend(now=0)

    writer = threading.Thread(target=churn)
    writer.start()
    try:
        for _ in range(15):
            assert Traces(tmp_path).recent(limit=1, until_s=NOW)[0].spans == 6
    finally:
        done.set()
        writer.join()
