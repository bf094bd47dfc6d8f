"""Segments of spans on disk."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from pyarrow import parquet

from reference_app.collector import segments
from reference_app.collector.rows import Row
from reference_app.collector.segments import Retention, Segments
from reference_app.contract.spans import COLUMNS
from reference_app.kit.home import REPOSITORY

NOW = 1_800_000_000.0


def rows(count: int, start_ns: int = 1_000) -> list[Row]:
    return [
        (f"{number:032x}", f"{number:016x}", "", "GET /home", "SERVER", "gateway", "gateway-0", start_ns + number, start_ns + number + 5, "UNSET", "", "{}")
        for number in range(count)
    ]  # fmt: skip


def spans_in(folder: Path) -> int:
    return sum(parquet.read_metadata(path).num_rows for path in Segments(folder).paths())


def age(path: Path, seconds: float) -> None:
    os.utime(path, (NOW - seconds, NOW - seconds))


def test_a_segment_has_the_columns_of_the_contract_and_is_named_by_its_first_start(tmp_path: Path) -> None:
    path = Segments(tmp_path).write([*rows(2, start_ns=500), *rows(1, start_ns=70)])
    assert path.name == "70-1.parquet"
    assert {field.name: str(field.type) for field in parquet.read_schema(path)} == COLUMNS
    assert parquet.read_table(path)["start_ns"].to_pylist() == [500, 501, 70]


def test_numbers_go_on_after_a_restart_so_that_no_segment_is_overwritten(tmp_path: Path) -> None:
    first = Segments(tmp_path).write(rows(1))
    second = Segments(tmp_path).write(rows(1))
    assert first != second
    assert spans_in(tmp_path) == 2


def test_what_a_kill_left_half_written_is_removed_at_start(tmp_path: Path) -> None:
    whole = Segments(tmp_path).write(rows(3))
    (tmp_path / ".5-9.parquet.tmp").write_bytes(b"PAR1 half")
    (tmp_path / "5-9.parquet").write_bytes(whole.read_bytes()[:-20])
    (tmp_path / "6-10.parquet").write_bytes(b"")
    assert Segments(tmp_path).paths() == [whole]
    assert list(tmp_path.iterdir()) == [whole]


def test_small_segments_are_merged_without_losing_a_span(tmp_path: Path) -> None:
    folder = Segments(tmp_path)
    for number in range(segments.MERGE_AT):
        folder.write(rows(2, start_ns=1_000 * (segments.MERGE_AT - number)))
    folder.tend(NOW - 1e9)
    assert len(folder.paths()) == segments.MERGE_AT + 1, "who is reading meanwhile finds them all"
    folder.tend(NOW - 1e9)
    (merged,) = folder.paths()
    assert merged.name.startswith("1000-")
    starts = set(parquet.read_table(merged)["start_ns"].to_pylist())
    assert starts == {1_000 * number + extra for number in range(1, segments.MERGE_AT + 1) for extra in (0, 1)}


def test_the_allocator_of_columns_is_one_that_gives_memory_back() -> None:
    program = "from reference_app.collector import segments; print(segments.pa.default_memory_pool().backend_name)"
    clean = {name: value for name, value in os.environ.items() if name != "ARROW_DEFAULT_MEMORY_POOL"}
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=REPOSITORY, env=clean)
    assert ran.stdout == "system\n"


def test_a_merge_for_which_the_disk_has_no_room_loses_no_span(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = Segments(tmp_path)
    for _ in range(segments.MERGE_AT):
        folder.write(rows(2))

    def full(_table: object, path: Path, **_options: object) -> None:
        path.write_bytes(b"half of it")
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(parquet, "write_table", full)
        for _ in range(2):
            with pytest.raises(OSError, match="No space left"):
                folder.tend(NOW - 1e9)
    assert spans_in(tmp_path) == 2 * segments.MERGE_AT
    assert not list(tmp_path.glob(".*")), "what was half written is gone"


@pytest.mark.parametrize(
    "harm",
    [
        pytest.param(lambda _whole: b"no parquet PAR1", id="no segment"),
        pytest.param(lambda whole: whole[:4] + b"\xff" * (len(whole) - 12) + whole[-8:], id="pages and footer"),
        pytest.param(lambda whole: whole[:4] + b"\xff" * 200 + whole[204:], id="a page"),
    ],
)
def test_a_segment_that_is_damaged_keeps_no_other_from_being_merged(harm: Callable[[bytes], bytes], tmp_path: Path) -> None:
    folder = Segments(tmp_path)
    for _ in range(segments.MERGE_AT):
        damaged = folder.write(rows(2))
    damaged.write_bytes(harm(damaged.read_bytes()))
    for _ in range(2):
        folder.tend(NOW - 1e9)
    (merged,) = folder.paths()
    assert parquet.read_metadata(merged).num_rows == 2 * (segments.MERGE_AT - 1)


def test_segments_that_the_system_refuses_to_read_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = Segments(tmp_path)
    for _ in range(segments.MERGE_AT):
        folder.write(rows(2))

    def refused(_path: Path) -> None:
        raise OSError(errno.EMFILE, "Too many open files")

    with monkeypatch.context() as patched:
        patched.setattr(parquet, "ParquetFile", refused)
        for _ in range(2):
            with pytest.raises(OSError, match="Too many open files"):
                folder.tend(NOW - 1e9)
    assert spans_in(tmp_path) == 2 * segments.MERGE_AT


def test_few_small_segments_stay(tmp_path: Path) -> None:
    folder = Segments(tmp_path)
    for _ in range(segments.MERGE_AT - 1):
        folder.write(rows(1))
    folder.tend(NOW - 1e9)
    assert len(folder.paths()) == segments.MERGE_AT - 1


def test_old_segments_are_retired(tmp_path: Path) -> None:
    folder = Segments(tmp_path, Retention(seconds=60))
    kept, old = folder.write(rows(1)), folder.write(rows(1))
    age(kept, 59)
    age(old, 61)
    folder.tend(NOW)
    assert folder.paths() == [kept]


def test_the_oldest_go_when_there_is_too_much(tmp_path: Path) -> None:
    size = Segments(tmp_path / "one").write(rows(1)).stat().st_size
    for name, retention in {"bytes": Retention(bytes=2 * size + 10), "segments": Retention(segments=2)}.items():
        folder = Segments(tmp_path / name, retention)
        written = [folder.write(rows(1)) for _ in range(4)]
        for position, path in enumerate(written):
            age(path, 10 - position)
        folder.tend(NOW)
        assert sorted(folder.paths()) == sorted(written[2:]), name
