"""`failwhale score` over recorded runs, and the document that it writes."""

from __future__ import annotations

import json
import re
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from failwhale import detectiondoc
from failwhale.commands import score as command
from postmortems import recordings, score
from postmortems.diagnosis.collecting import Evaluation
from postmortems.diagnosis.evaluating import Judged
from postmortems.diagnosis.hits import Hits
from postmortems.scorecard import Quiet, Share
from reference_app.kit.home import HOME_VARIABLE, REPOSITORY, Home

RECORDED = REPOSITORY / "tests" / "fixtures" / "recorded-run"


@pytest.fixture
def app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> typer.Typer:
    monkeypatch.setenv(HOME_VARIABLE, str(tmp_path))
    app = typer.Typer()
    command.register(app)
    return app


def ask(app, *arguments, code=0):
    done = CliRunner().invoke(app, [*map(str, arguments)])
    assert done.exit_code == code, done.output
    return done


def test_recorded_runs_are_scored_as_one_object(app):
    told = json.loads(ask(app, "--home", RECORDED, "--json").stdout)
    assert told["schema"] == "failwhale/score/v1"
    assert (told["drills"], told["detected"], told["right_component"], told["sham_runs"]) == (1, 1, 1, 0)
    assert told["ttd_s"]["crash"]["n"] == 1
    assert told["ttd_s"]["grey"] == {"n": 0, "median": None, "p90": None}
    assert told["diagnosis"]["top1"] is None
    assert "kill-tweet-shard-no-replica-reads" not in told["never_run"]


def test_a_start_leaves_out_what_was_before_and_is_kept_with_its_reason(app, tmp_path):
    (tmp_path / "runs").symlink_to(RECORDED / "runs")
    assert json.loads(ask(app, "--json").stdout)["drills"] == 1
    assert json.loads(ask(app, "--start", "new rules", "--json").stdout)["drills"] == 0
    ask(app, "--start", "newer rules")
    told = json.loads(ask(app, "--json", code=1).stdout)
    assert [start["why"] for start in told["starts"]] == ["new rules", "newer rules"]
    assert json.loads(ask(app, "--since", "2026-01-01", "--json").stdout)["drills"] == 1


def test_the_document_is_of_a_recorded_start_and_of_runs(app, tmp_path, monkeypatch):
    monkeypatch.setattr(command, "REPOSITORY", tmp_path)
    assert "leave --since out" in ask(app, "--write-docs", "--since", "2026-01-01", code=2).output
    assert "is left as it is" in ask(app, "--write-docs", code=2).output


def test_a_home_that_is_not_there_is_refused(app, tmp_path):
    assert "there is no directory" in ask(app, "--home", RECORDED, "--home", tmp_path / "nope", code=2).output


def test_of_several_homes_the_last_start_of_any_counts(app, tmp_path):
    recordings.begin(Home(tmp_path), recordings.Start("2026-12-01T00:00:00.000Z", "later"))
    for homes in ((RECORDED, tmp_path), (tmp_path, RECORDED)):
        told = json.loads(ask(app, *(part for home in homes for part in ("--home", home)), "--json", code=1).stdout)
        assert (told["since"], told["runs"]) == ("2026-12-01T00:00:00.000Z", 0)


def test_a_drill_that_left_a_plan_alone_is_counted_among_those_without_a_result(app, tmp_path):
    shutil.copytree(RECORDED / "runs", tmp_path / "runs")
    assert json.loads(ask(app, "--json").stdout)["without_result"] == 0
    for result in (tmp_path / "runs").glob("*/result.json"):
        result.unlink()
    told = json.loads(ask(app, "--json", code=1).stdout)
    assert (told["runs"], told["without_result"]) == (0, 1)
    assert json.loads(ask(app, "--since", "2027-01-01", "--json", code=1).stdout)["without_result"] == 0


def test_nothing_recorded_is_said_and_no_success(app):
    assert "0 runs since ever: 0 inconclusive" in ask(app, code=1).stdout


def test_a_run_of_another_version_is_named(app, tmp_path):
    broken = tmp_path / "runs" / "one" / "result.json"
    broken.parent.mkdir(parents=True)
    broken.write_text('{"drill": 1}')
    assert f"{broken} cannot be read" in ask(app, code=2).output


def test_two_beginnings_are_refused_and_none_is_kept(app, tmp_path):
    assert "ask for one of them" in ask(app, "--start", "new rules", "--since", "2026-01-01", code=2).output
    assert recordings.starts(Home(tmp_path)) == ()


def test_a_day_that_is_none_is_refused(app):
    assert "Invalid isoformat string: 'yesterday'" in ask(app, "--since", "yesterday", code=2).output


def test_the_document_is_written_between_its_marks_and_only_there():
    card = score.score(recordings.read([Home(RECORDED)]), scrape_s=1)
    text = f"before\n{detectiondoc.MARKS[0]}\nformer words\n{detectiondoc.MARKS[1]}\nafter"
    written = detectiondoc.written(text, card, None, starts=())
    assert written.startswith("before\n")
    assert written.endswith("\nafter")
    assert "former words" not in written
    assert "| kill_and_hold | tweets-db | 1 | 1 | 1 |" in written
    with pytest.raises(ValueError, match="has lost the marks"):
        detectiondoc.written("no marks", card, None, starts=())


def test_the_document_of_the_repository_has_its_marks():
    detectiondoc.written((REPOSITORY / detectiondoc.DOCUMENT).read_text(), score.score((), scrape_s=1), None, starts=())


def test_a_share_that_rounds_to_the_bar_is_seen_to_be_below_it():
    hits = Hits(56, round(52 / 56, 4), round(53 / 56, 4), (0.8302, 0.9719), (0.8539, 0.9816), 0.0471, 0.1412, 2)
    (row,) = detectiondoc.diagnosis_rows(replace(score.score((), scrape_s=1), diagnosis={"all": hits}))
    assert row == ("all", "56 of 0", "52/56 (92.9 %, 83 to 97.2); a guess 4.7 %", "53/56 (94.6 %, 85.4 to 98.2); a guess 14.1 %", "2")
    (judged,) = detectiondoc.evaluation_rows(Evaluation({"all": (Judged("fixed weights", hits),)}, 0, 0, ()))
    assert judged == ("fixed weights", "all", "56", *row[2:4])
    assert detectiondoc.share_text(Share(18, 19, 0.7536, 0.9906)) == "18/19 (94.7 %, 75.4 to 99.1)"
    assert detectiondoc.share_text(Share(0, 0, 0.0, 1.0)) == "none"


COUNTED = re.compile(r"\d+/\d+ \([\d.]+ %, [\d.]+ to [\d.]+\)|a guess [\d.]+ %")
"""A share with its counts and its interval; what a guess would reach counts nothing."""


@pytest.mark.parametrize("planted", ["", "| all | 18/19 (94.7 %) |", "95 % of 56 were right"])
def test_no_percentage_stands_without_its_counts_and_its_interval(planted):
    hits = Hits(56, round(52 / 56, 4), round(53 / 56, 4), (0.8302, 0.9719), (0.8539, 0.9816), 0.0471, 0.1412, 2)
    evaluation = Evaluation({"all": (Judged("fixed weights", hits),)}, 29, 34, ())
    card = score.score(recordings.read([Home(RECORDED)]), scrape_s=1)
    committed = (REPOSITORY / detectiondoc.DOCUMENT).read_text()
    for text in (committed, detectiondoc.written(committed, card, evaluation, starts=())):
        generated = text.partition(detectiondoc.MARKS[0])[2].partition(detectiondoc.MARKS[1])[0]
        assert ("%" in COUNTED.sub("", generated + planted)) == bool(planted)


def test_shams_without_a_cause_are_counted_with_their_interval():
    (told,) = detectiondoc.evaluation_lines(Evaluation({}, 29, 34, ()))
    assert told == "Shams that were asked about and have no cause, as is true: 29/34 (85.3 %, 69.9 to 93.6)."


def test_false_alerts_are_told_by_sham_run_and_by_quiet_hour():
    none = Share(0, 34, 0.0, 0.1)
    told = detectiondoc.quiet_lines(Quiet(34, none, none, 3, 0.088, 2.5, 12, 4, 5.16, ()))
    assert "3 false alerts in these: 0.088 a sham run." in told
    assert detectiondoc.quiet_lines(Quiet(0, none, none, 0, None, 0.0, 0, 0, None, ()))[1] == "0 false alerts in these: unknown a sham run."
