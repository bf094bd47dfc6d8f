from __future__ import annotations

from pathlib import Path

import pytest

from reference_app.query import logs
from reference_app.query.logs import Wanted

GATEWAY = """\
{"timestamp":"2026-01-01T00:00:01+00:00","severity":"INFO","component":"gateway-0","logger":"x","message":"served","request_id":"r1","status":200}
{"timestamp":"2026-01-01T00:00:03+00:00","severity":"ERROR","component":"gateway-0","logger":"x","message":"failed","request_id":"r2"}
{"timestamp":"2026-01-01T00:00:04
"""
TWEETS = """\
{"timestamp":"2026-01-01T00:00:02+00:00","severity":"WARNING","component":"tweets-0","logger":"x","message":"slow","request_id":"r2","trace_id":"t2"}
"""
MARIADB = """\
2026-01-01  0:00:02 0 [Note] mariadbd: ready for connections.
{not json}
{"level": "a line of somebody else"}
"""
SECOND = 1767225600.0


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    for name, text in (("gateway-0", GATEWAY), ("tweets-0", TWEETS), ("users-db-0", MARIADB)):
        (tmp_path / f"{name}.log").write_text(text)
    return tmp_path


def messages(directory: Path, wanted: Wanted) -> list[str]:
    return [line.message for line in logs.read(directory, wanted)]


def test_lines_of_all_files_come_in_order_of_time_and_foreign_ones_are_passed_over(directory: Path) -> None:
    assert messages(directory, Wanted()) == ["served", "slow", "failed"]


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        (Wanted(request_id="r2"), ["slow", "failed"]),
        (Wanted(trace_id="t2"), ["slow"]),
        (Wanted(component="gateway-0"), ["served", "failed"]),
        (Wanted(severity="warning"), ["slow", "failed"]),
        (Wanted(start=SECOND + 2, end=SECOND + 2.5), ["slow"]),
    ],
)
def test_lines_are_chosen_by_request_trace_component_severity_and_time(directory: Path, wanted: Wanted, found: list[str]) -> None:
    assert messages(directory, wanted) == found


def test_lines_that_were_rotated_away_are_found_in_their_place(directory: Path) -> None:
    (directory / "gateway-0.log").rename(directory / "gateway-0.log.1")
    (directory / "gateway-0.log").write_text(GATEWAY.splitlines()[0].replace("00:01+", "00:05+").replace("served", "again") + "\n")
    assert messages(directory, Wanted(component="gateway-0")) == ["served", "failed", "again"]


def test_what_else_a_line_carries_is_kept(directory: Path) -> None:
    first = next(logs.read(directory, Wanted()))
    assert (first.at, first.request_id, first.attributes) == (SECOND + 1, "r1", {"logger": "x", "status": 200})


def test_a_directory_without_logs_has_no_lines(tmp_path: Path) -> None:
    assert list(logs.read(tmp_path / "nowhere", Wanted())) == []
