"""docs/drills.md: its catalogue is what the files say, its results are what was recorded."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from chaos.audit.model import VIOLATIONS
from chaos.gameday import Task
from failwhale import daypage, dayreport, drillsdoc
from failwhale.bench.measure import Machine
from failwhale.dayrecord import Audited, Continued, Drilled, Ended, Finished, Planned, Stopped, Writer
from failwhale.dayreport import Report
from failwhale.outcome import BlastRadius
from reference_app.kit.home import REPOSITORY

MACHINE = Machine("2026-11-21T10:00:00Z", "CPU", 2, 23.5, "6.1", "3.11", 0.1, {})
TASKS = (Task(1, "kill-gateway", False, "standard", "passed", 210.0), Task(2, "kill-gateway", True, "standard", "passed", 210.0))
MARKED = f"{drillsdoc.CATALOGUE[0]}\n{drillsdoc.CATALOGUE[1]}\nby hand\n{drillsdoc.RESULTS[0]}\n{drillsdoc.RESULTS[1]}\nthe end\n"


@pytest.fixture(scope="module")
def library() -> list[drillsdoc.Listed]:
    return drillsdoc.library()


def report(directory: Path, *, file: str = "ci.yaml", at: float = 0.0, done: bool = True) -> Report:
    """A day of a drill that deviated and a twin that passed, or of the first alone."""
    writer = Writer(directory / f"{at}-{file}")
    writer.write(Planned(at, f"{at}-{file}", file, f"Day {at:g}", 1, "abc1234", MACHINE, TASKS, 90, 0, 180, own_lab=True))
    audit = Audited(complete=True, acknowledged=300, indeterminate=0, lost=0, duplicated=0)
    writer.write(
        Ended(at + 200, 1, 1, 2.0, Drilled("deviated", ("Goodput was 3%.",), "run-1", audit=audit, blast_radius=BlastRadius(0.0, 0.97)))
    )
    writer.write(
        Ended(at + 400, 2, 1, 2.0, Drilled("passed", ("It held.",), "run-2", audit=audit)) if done else Stopped(at + 201, "halted")
    )
    if done:
        writer.write(Finished(at + 400))
    built = dayreport.build(writer.record())
    dayreport.keep(writer.directory, built)
    return built


def test_the_catalogue_is_the_one_that_would_be_generated(library: list[drillsdoc.Listed]) -> None:
    """`make gen` writes it."""
    text = (REPOSITORY / drillsdoc.DOCUMENT).read_text()
    assert drillsdoc.with_catalogue(text, library) == text


def test_a_catalogue_that_lacks_a_drill_differs_from_the_generated_one(library: list[drillsdoc.Listed]) -> None:
    whole, lacking = (drillsdoc.with_catalogue(MARKED, drills) for drills in (library, library[1:]))
    assert f"### {library[0].name}\n" in whole
    assert f"### {library[0].name}\n" not in lacking
    assert drillsdoc.with_catalogue(lacking, library) == whole
    assert "by hand" in whole


def test_every_drill_says_what_where_and_what_is_expected(library: list[drillsdoc.Listed]) -> None:
    for drill in library:
        assert drill.title
        assert drill.components
        assert drill.topologies
        assert drill.expected_verdict != "passed" or drill.passes_with is None, drill.name


def test_results_are_those_of_the_last_complete_day_of_each_file(tmp_path: Path) -> None:
    days = [report(tmp_path, at=1.0), report(tmp_path, at=2.0), report(tmp_path, at=3.0, done=False), report(tmp_path, file="one.yaml")]
    assert sorted(dayreport.read_all(tmp_path), key=lambda day: day.id) == sorted(days, key=lambda day: day.id)
    text = drillsdoc.with_results(MARKED, days)
    assert "### Day 2\n" in text
    assert "### Day 1\n" not in text
    assert "### Day 3\n" not in text
    assert "commit abc1234" in text
    assert "| kill-gateway | standard | passed | deviated (!) | - | - | 0 | 0 | 0.0% | 97.0% |" in text
    assert "- kill-gateway: Goodput was 3%." in text
    assert text.endswith("the end\n")
    again = drillsdoc.with_results(text, [day for day in days if day.file == "one.yaml"])
    assert again == text, "what another home recorded stays"


def test_a_file_of_somebodys_own_is_told_by_its_name(tmp_path: Path) -> None:
    ours = report(tmp_path, file="chaos.yaml")
    assert "`chaos.yaml`" in daypage.provenance(ours)
    assert "seed 1, `own.yaml`, commit" in daypage.provenance(replace(ours, file="/home/me/own.yaml"))


@pytest.mark.parametrize("promise", VIOLATIONS)
def test_a_broken_promise_fails_a_day_on_which_all_ended_as_predicted_and_the_page_says_so(tmp_path: Path, promise: str) -> None:
    writer = Writer(tmp_path)
    writer.write(Planned(0.0, "day", "ci.yaml", "Day", 1, "abc1234", MACHINE, TASKS[:1], 90, 0, 180, own_lab=True))
    audit = Audited(complete=True, acknowledged=300, indeterminate=0, lost=0, duplicated=0)
    writer.write(Ended(200.0, 1, 1, 2.0, Drilled("passed", ("It held.",), "run-1", audit=replace(audit, **{promise: 2}))))
    built = dayreport.build(writer.record())
    assert (built.totals.as_predicted, built.ok) == (1, False)
    assert "**Every drill ended as predicted, and promises to users were broken.**" in daypage.page(built)


def test_a_day_that_was_continued_with_other_code_says_so(tmp_path: Path) -> None:
    report(tmp_path, at=1.0, done=False)
    writer = Writer(tmp_path / "1.0-ci.yaml")
    for at, commit in ((300.0, "abc1234"), (310.0, "def5678")):
        writer.write(Continued(at, commit))
    built = dayreport.build(writer.record())
    assert built.commit == "abc1234, then def5678"
    assert "commit abc1234, then def5678;" in daypage.provenance(built)


@pytest.mark.parametrize("mark", drillsdoc.RESULTS)
def test_a_document_without_its_marks_is_refused_and_not_cut_off(mark: str) -> None:
    with pytest.raises(ValueError, match="lost the marks"):
        drillsdoc.with_results(MARKED.replace(mark, ""), [])


def test_a_report_of_another_version_is_named(tmp_path: Path) -> None:
    path = tmp_path / "day" / dayreport.FILE
    path.parent.mkdir()
    path.write_text("{}")
    with pytest.raises(ValueError, match=str(path)):
        dayreport.read_all(tmp_path)


def test_without_a_recorded_day_there_are_no_results() -> None:
    assert "No game day was recorded yet." in drillsdoc.with_results(MARKED, [])


def test_a_day_that_ended_early_says_why_and_how_it_goes_on(tmp_path: Path) -> None:
    day = report(tmp_path, done=False)
    page = daypage.page(day)
    assert (day.complete, day.ok, day.stopped) == (False, False, "halted")
    assert "It ended early: halted. `failwhale gameday --continue 0.0-ci.yaml` goes on." in page
    assert "Predicted passed; not done." in page
