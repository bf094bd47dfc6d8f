from __future__ import annotations

import json
from pathlib import Path

from postmortems import logged

AT = "2020-01-01T12:00:00.500+00:00"
SECOND = 1577880000.0


def write(path: Path, *lines: tuple[str, str]) -> None:
    with path.open("a") as file:
        for severity, message in lines:
            record = {"timestamp": AT, "severity": severity, "component": path.name.partition(".")[0], "logger": "x", "message": message}
            file.write(json.dumps(record, separators=(",", ":")) + "\n")


def test_complaints_are_counted_by_template_and_by_whom_they_name(tmp_path: Path) -> None:
    write(tmp_path / "tweets-0.log", ("WARNING", "tweets-db-0: no answer in 0.25 s"), ("INFO", "request"))
    write(tmp_path / "tweets-0.log.1", ("WARNING", "tweets-db-0: no answer in 0.75 s"))
    (one,) = logged.read(tmp_path, SECOND, SECOND + 1, ["tweets-db-0", "tweets-db-0-replica"])[0].series
    assert one.labels == {
        "component": "tweets-0",
        "about": "tweets-db-0",
        "severity": "WARNING",
        "template": "tweets-db-#: no answer in #.# s",
    }
    assert one.points == [(SECOND, 2.0)]


def test_the_supervisor_who_knows_who_died_is_not_read(tmp_path: Path) -> None:
    write(tmp_path / "supervisord.log", ("WARNING", "tweets-0 exited"))
    write(tmp_path / "tweets-0.log", ("INFO", "request"))
    assert logged.read(tmp_path, SECOND, SECOND + 1, ["tweets-0"])[0].series == ()


def test_lines_of_another_time_and_broken_ones_are_passed_over(tmp_path: Path) -> None:
    write(tmp_path / "users-0.log", ("ERROR", "no answer"))
    with (tmp_path / "users-0.log").open("a") as file:
        file.write('{"severity":"ERROR", half a line\n{"severity":"ERROR"}\n')
    assert logged.read(tmp_path, SECOND + 5, SECOND + 9, [])[0].series == ()


def test_a_log_that_is_rotated_away_or_cut_off_while_it_is_read_costs_only_its_own_lines(tmp_path: Path) -> None:
    write(tmp_path / "tweets-0.log", *[("WARNING", f"no answer in {number} s") for number in range(500)])
    (tmp_path / "tweets-0.log.1").symlink_to(tmp_path / "gone")  # listed, and not there when it is opened
    write(tmp_path / "users-0.log", ("ERROR", "no answer"))
    lines = logged._lines(tmp_path, SECOND)
    first = next(lines)
    with (tmp_path / "tweets-0.log").open("r+") as file:
        file.truncate(100)
    assert first.component == "tweets-0"
    assert [line.component for line in lines][-1] == "users-0"
