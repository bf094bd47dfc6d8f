from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from chaos.audit import run as audit_run
from chaos.audit.model import Audit, Example
from failwhale.commands import audit
from reference_app.contract.seed import Seed
from reference_app.contract.topology import Lab
from reference_app.kit import files
from reference_app.kit.home import HOME_VARIABLE, REPOSITORY, Home, NoLabError

CLEAN = Audit(True, 300, 290, 4, 0, 0, 2, 0, 5000, 0, sources={"tweets-db-0": "primary", "tweets-db-1": "replica"})
BROKEN = replace(CLEAN, lost=1, examples=(Example("lost", 7, "k", (55,), "no row has this key"),))
HISTORY = next((REPOSITORY / "tests" / "fixtures" / "recorded-run" / "runs").glob("*/load/history.ndjson"))
INCOMPLETE = replace(CLEAN, complete=False, lost=None, reasons=("tweets-db-0 was not read: it is down",))


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(HOME_VARIABLE, str(tmp_path))
    return tmp_path


@pytest.fixture
def runs(home: Path) -> Path:
    """A lab that was laid out, with two runs that sent nothing."""
    files.write_json(home / "lab.json", Lab(str(home), "small", 25000, (), signing_key="k", supervisor_password="p"))
    for name in ("20260101T000000Z-first", "20260102T000000Z-second"):
        files.write_atomic(home / "runs" / name / "load" / "history.ndjson", b"")
    return home / "runs"


def invoke(*arguments: str) -> Result:
    app = typer.Typer()
    audit.register(app)
    return CliRunner().invoke(app, arguments)


def answered(monkeypatch: pytest.MonkeyPatch, found: Audit, *arguments: str) -> Result:
    expected = {"witnessed": (), "settle_s": audit_run.SETTLE_S}
    monkeypatch.setattr(audit_run, "audit", lambda _lab, _path, **asked: found if asked == expected else None)
    return invoke("latest", *arguments)


@pytest.mark.usefixtures("runs")
@pytest.mark.parametrize(("found", "code"), [(CLEAN, 0), (BROKEN, 1), (INCOMPLETE, 2), (replace(BROKEN, complete=False), 1)])
def test_the_exit_code_tells_clean_from_violated_from_incomplete(monkeypatch: pytest.MonkeyPatch, found: Audit, code: int) -> None:
    assert answered(monkeypatch, found).exit_code == code


@pytest.mark.usefixtures("runs")
def test_json_is_one_object_with_the_fields_of_a_drill_and_nulls_for_what_did_not_run(monkeypatch: pytest.MonkeyPatch) -> None:
    document = json.loads(answered(monkeypatch, INCOMPLETE, "--json").stdout)
    assert (document["schema"], document["run_id"]) == ("failwhale/audit/v1", "20260102T000000Z-second")
    assert (document["lost"], document["stale"], document["duplicated"], document["complete"]) == (None, None, 0, False)


@pytest.mark.usefixtures("runs")
def test_people_read_counts_examples_sources_and_reasons(monkeypatch: pytest.MonkeyPatch) -> None:
    result = answered(monkeypatch, replace(BROKEN, complete=False, stale=None, reasons=INCOMPLETE.reasons))
    assert "not checked" in result.stdout
    for part in (
        "lost: user 7, key k, tweet 55",
        "tweets-db-1 was read from its replica",
        "incomplete: tweets-db-0",
        "broken promises: lost 1",
    ):
        assert part in result.stderr


@pytest.mark.parametrize(
    ("later", "kept"), [(INCOMPLETE, CLEAN), (BROKEN, BROKEN), (replace(BROKEN, complete=False), replace(BROKEN, complete=False))]
)
def test_an_audit_that_could_not_see_all_replaces_none_that_could(
    runs: Path, monkeypatch: pytest.MonkeyPatch, later: Audit, kept: Audit
) -> None:
    recorded = runs / "20260102T000000Z-second" / audit_run.FILE
    for found in (CLEAN, later):
        answered(monkeypatch, found)
    assert json.loads(recorded.read_bytes())["lost"] == kept.lost
    assert json.loads(recorded.read_bytes())["complete"] == kept.complete


def test_a_run_whose_tweets_a_seeding_deleted_lost_nothing(runs: Path) -> None:
    home, run_dir = Home(runs.parent), runs / "20260101T000000Z-first"
    files.write_json(home.seed_file, Seed(50, 100, "synthetic", directed=True, top_followers=10, seeded_at=2_000_000_000.0))
    (run_dir / "load" / "history.ndjson").write_bytes(HISTORY.read_bytes())
    result = invoke("20260101T000000Z-first", "--settle", "0")
    written = json.loads((run_dir / audit_run.FILE).read_bytes())
    assert (result.exit_code, written["lost"], written["complete"]) == (2, None, False)
    assert any("nothing of it can be audited any more" in reason for reason in written["reasons"])


def test_the_audit_is_written_into_the_run(runs: Path) -> None:
    assert invoke("20260101T000000Z-first").exit_code == 2
    written = json.loads((runs / "20260101T000000Z-first" / "audit.json").read_bytes())
    assert (written["complete"], written["attempted"], written["lost"]) == (False, 0, None)


@pytest.mark.usefixtures("runs")
def test_an_unknown_run_is_refused_and_the_latest_is_named() -> None:
    result = invoke("nope")
    assert result.exit_code == 2
    assert "20260102T000000Z-second" in result.stderr


@pytest.mark.usefixtures("home")
def test_a_home_without_runs_says_what_records_one() -> None:
    result = invoke("latest")
    assert result.exit_code == 2
    assert "failwhale drill" in result.stderr


def test_a_run_without_its_lab_says_how_to_start_one(runs: Path) -> None:
    (runs.parent / "lab.json").unlink()
    assert isinstance(invoke("latest").exception, NoLabError)
