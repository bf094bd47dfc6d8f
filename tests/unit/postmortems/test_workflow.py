from __future__ import annotations

import shutil
from dataclasses import replace
from datetime import date
from pathlib import Path

import msgspec
import pytest
import yaml

from postmortems import actions, auditlog, check, publishing, store, workflow
from postmortems.actions import Action, ActionError
from postmortems.model import Draft
from postmortems.workflow import Desk, GateError
from reference_app.contract.plan import Plan
from reference_app.kit import files
from reference_app.kit.home import Home

NOW = 1795229300.0
WHOLE = Action("", "Serve home pages without the cache that is gone", 0.0, owner="timelines", due=date(2026, 12, 1), done_when="it holds")


@pytest.fixture
def desk(home: Home, drafted: Draft, run_id: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    """The whole check has tests of its own and takes half a second: here it says what a test wants it to say."""
    monkeypatch.setattr(check, "findings", lambda _directory: [])
    assert drafted.incident_dir == home.incidents / run_id
    return Desk(home, run_id, "ada", lambda: NOW, tmp_path / "archive")


def rerun(desk: Desk, name: str, *, t0: float, verdict: str = "passed", drill: str = "", sham: bool = False) -> str:
    """A later run: the same evidence at another time, which is all that these gates look at."""
    directory = desk.home.incidents / name
    shutil.copytree(desk.directory, directory)
    record = store.read_file(directory / store.INCIDENT)
    header = replace(record.header, id=name, run_id=name, verdict=verdict)
    figures = {**record.figures, "users.harmed": replace(record.figures["users.harmed"], value=0)}
    changed = msgspec.to_builtins(replace(record, header=header, figures=figures))
    (directory / store.INCIDENT).write_text(yaml.safe_dump(changed, sort_keys=False))
    path = directory / store.SNAPSHOT / "plan.json"
    plan = msgspec.json.decode(path.read_bytes(), type=Plan)
    files.write_json(path, replace(plan, run_id=name, t0=t0, drill=drill or plan.drill, sham=sham))
    return name


def status(desk: Desk) -> tuple[str, bool]:
    """In the record, and whether the front matter says the same."""
    found = store.read(desk.home, desk.incident_id).header.status
    return found, f"\nstatus: {found}\n" in (desk.directory / store.POSTMORTEM).read_text()


def test_a_postmortem_goes_from_draft_to_closed(desk: Desk) -> None:
    action = workflow.add(desk, WHOLE)
    workflow.review(desk, ["grace"])
    assert status(desk) == ("in-review", True)
    workflow.publish(desk)
    assert status(desk) == ("published", True)
    workflow.done(desk, action.id, rerun(desk, f"20261122T000000Z-{action.drill}", t0=NOW + 60))
    workflow.close(desk)
    assert status(desk) == ("closed", True)
    assert [(entry.by, entry.status) for entry in auditlog.read(desk.directory)] == [
        ("ada", "draft"), ("ada", "in-review"), ("ada", "published"), ("ada", "published"), ("ada", "closed"),
    ]  # fmt: skip
    assert "moves it to closed" in (desk.archive / desk.incident_id / auditlog.FILE).read_text()


def test_an_action_that_was_shown_says_what_was_before_and_after(desk: Desk) -> None:
    action = workflow.add(desk, WHOLE)
    done = workflow.done(desk, action.id, rerun(desk, f"20261122T000000Z-{action.drill}", t0=NOW + 60))
    assert done.rerun is not None
    assert done.rerun.before == desk.incident_id
    harmed = next(change for change in done.rerun.changes if change.figure == "users harmed")
    assert harmed.after == "0" != harmed.before
    assert f"| users harmed | {harmed.before} | 0 |" in (desk.directory / store.POSTMORTEM).read_text()


def test_without_reviewers_there_is_no_review(desk: Desk) -> None:
    with pytest.raises(GateError, match="no reviewers are named"):
        workflow.review(desk)
    assert status(desk) == ("draft", True)


def test_what_is_not_true_is_not_reviewed(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(check, "findings", lambda _directory: ["posts.lost is 3, not 0"])
    with pytest.raises(GateError, match=r"not true or not complete: posts\.lost is 3"):
        workflow.review(desk, ["grace"])


def test_a_gap_in_the_evidence_must_be_in_the_text(desk: Desk) -> None:
    manifest = desk.directory / store.SNAPSHOT / "manifest.json"
    content = msgspec.json.decode(manifest.read_bytes())
    files.write_json(manifest, content | {"missing": ["series.parquet: nobody was there to be asked"]})
    with pytest.raises(GateError, match="the text does not say that this could not be frozen: series"):
        workflow.review(desk, ["grace"])


def test_an_action_without_owner_or_date_is_not_published(desk: Desk) -> None:
    workflow.review(desk, ["grace"])
    workflow.add(desk, Action("", "Warm the cache before it takes readers", 0.0, done_when="it holds"))
    with pytest.raises(GateError, match="action A1 lacks an owner and a due date"):
        workflow.publish(desk)


def test_an_open_action_keeps_it_from_being_closed_and_a_declined_one_does_not(desk: Desk) -> None:
    workflow.review(desk, ["grace"])
    workflow.add(desk, WHOLE)
    workflow.publish(desk)
    with pytest.raises(GateError, match="action A1 is open"):
        workflow.close(desk)
    with pytest.raises(ActionError, match="with a reason only"):
        workflow.decline(desk, "A1", " ")
    workflow.decline(desk, "A1", "another design makes it moot")
    workflow.close(desk)
    assert "declined: another design makes it moot" in (desk.archive / desk.incident_id / store.POSTMORTEM).read_text()


def test_states_are_not_skipped(desk: Desk) -> None:
    with pytest.raises(GateError, match="is draft, so it cannot become published: its next step is `failwhale postmortem review"):
        workflow.publish(desk)


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"t0": NOW - 60}, "began before action A1 was added"),
        ({"t0": NOW + 60, "drill": "another"}, "is a run of another"),
        ({"t0": NOW + 60, "sham": True}, "nothing was broken"),
        ({"t0": NOW + 60, "verdict": "inconclusive"}, "ended inconclusive, which shows nothing"),
    ],
)
def test_a_run_that_shows_nothing_does_not_close_an_action(desk: Desk, wrong: dict[str, object], told: str) -> None:
    workflow.add(desk, WHOLE)
    name = rerun(desk, "20261122T000000Z-later", **wrong)
    with pytest.raises(ActionError, match=told):
        workflow.done(desk, "A1", name)
    with pytest.raises(ActionError, match="no evidence of a run 'nowhere'"):
        workflow.done(desk, "A1", "nowhere")
    assert actions.read(desk.directory)[0].state == "open"


def test_what_a_person_wrote_survives_every_step_and_a_new_draft(desk: Desk) -> None:
    path = desk.directory / store.POSTMORTEM
    path.write_text(path.read_text() + "\nWhat we learned.\n")
    workflow.add(desk, WHOLE)
    workflow.review(desk, ["grace"])
    again = store.draft(desk.home, desk.incident_id, prometheus=None)
    assert "is in-review and is kept" in again.message
    assert status(desk) == ("in-review", True)
    assert path.read_text().endswith("\nWhat we learned.\n")


def test_a_command_does_not_make_a_draft_a_persons_text(desk: Desk) -> None:
    workflow.add(desk, WHOLE)
    assert store.draft(desk.home, desk.incident_id, prometheus=None).message == ""
    assert "Serve home pages without the cache" in (desk.directory / store.POSTMORTEM).read_text()


def test_a_path_of_this_machine_is_not_published(desk: Desk) -> None:
    path = desk.directory / store.POSTMORTEM
    workflow.review(desk, ["grace"])
    path.write_text(path.read_text() + f"\nSee {desk.home.path}/log.\n")
    with pytest.raises(GateError, match=r"postmortem\.md names .*, a path of this machine"):
        workflow.publish(desk)
    assert list(publishing.paths_of_the_machine(desk.directory, Home(Path("/nowhere/else")))) == []


def test_a_list_that_cannot_be_read_is_said_to_be_one(desk: Desk) -> None:
    (desk.directory / actions.FILE).write_text("actions:\n- id: A1\n  text: 3\n")
    with pytest.raises(ActionError, match="is no list of actions"):
        actions.read(desk.directory)
