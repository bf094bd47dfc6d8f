from __future__ import annotations

import shutil
from dataclasses import replace
from datetime import date

import msgspec
import pytest
import yaml

from postmortems import actions, auditlog, check, frontmatter, store, verification, workflow
from postmortems.actions import Action, ActionError, Edit
from postmortems.auditlog import Changed
from postmortems.workflow import Desk, GateError
from reference_app.contract.plan import Plan
from reference_app.kit import files
from tests.unit.postmortems.conftest import LATER

WHOLE = Action("", "Serve home pages without the cache that is gone", 0.0, owner="timelines", due=date(2026, 12, 1), done_when="it holds")
WHOLE_DRILL = "kill-tweet-shard-no-replica-reads"


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
    workflow.done(desk, action.id, rerun(desk, f"20261122T000000Z-{action.drill}", t0=LATER + 60))
    workflow.close(desk)
    assert status(desk) == ("closed", True)
    assert [(entry.by, entry.status) for entry in auditlog.read(desk.directory)] == [
        ("ada", "draft"), ("ada", "in-review"), ("ada", "published"), ("ada", "published"), ("ada", "closed"),
    ]  # fmt: skip
    assert "moves it to closed" in (desk.archive / desk.incident_id / auditlog.FILE).read_text()


def test_an_action_that_was_shown_says_what_was_before_and_after(desk: Desk) -> None:
    action = workflow.add(desk, WHOLE)
    done = workflow.done(desk, action.id, rerun(desk, f"20261122T000000Z-{action.drill}", t0=LATER + 60))
    assert done.rerun is not None
    assert done.rerun.before == desk.incident_id
    harmed = next(change for change in done.rerun.changes if change.figure == "users harmed")
    assert harmed.after == "0" != harmed.before
    assert f"| users harmed | {harmed.before} | 0 |" in (desk.directory / store.POSTMORTEM).read_text()


def test_without_reviewers_there_is_no_review(desk: Desk) -> None:
    with pytest.raises(GateError, match="no reviewers are named"):
        workflow.review(desk)
    assert status(desk) == ("draft", True)


@pytest.mark.parametrize("named", ["", "''", "[]", "['', null]", "' '"])
def test_a_reviewer_without_a_name_is_none(desk: Desk, named: str) -> None:
    path = desk.directory / store.POSTMORTEM
    path.write_text(path.read_text().replace("\nreviewers: []\n", f"\nreviewers: {named}\n", 1))
    with pytest.raises(GateError, match="no reviewers are named"):
        workflow.review(desk, [" "])


def test_a_reviewer_who_was_written_without_a_list_stays(desk: Desk) -> None:
    path = desk.directory / store.POSTMORTEM
    path.write_text(path.read_text().replace("\nreviewers: []\n", "\nreviewers: grace\n", 1))
    workflow.review(desk, ["ada"])
    assert frontmatter.read(path.read_text())["reviewers"] == ["ada", "grace"]


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
    workflow.change(desk, "A1", Edit(owner=" ", due=WHOLE.due))
    with pytest.raises(GateError, match="action A1 lacks an owner:"):
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
        ({"t0": LATER - 60}, "began before action A1 was added"),
        ({"t0": LATER + 60, "drill": "another"}, "is a run of another"),
        ({"t0": LATER + 60, "sham": True}, "nothing was broken"),
        ({"t0": LATER + 60, "verdict": "inconclusive"}, "ended inconclusive, which shows nothing"),
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


def typed(desk: Desk, old: str, new: str) -> None:
    path = desk.directory / actions.FILE
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


def test_a_done_that_somebody_typed_counts_as_unfinished(desk: Desk) -> None:
    workflow.add(desk, WHOLE)
    workflow.review(desk, ["grace"])
    workflow.publish(desk)
    typed(desk, "state: open", "state: done")
    assert verification.doubts(actions.read(desk.directory), incidents=desk.home.incidents, incident_id=desk.incident_id) == {
        "A1": "action A1 says done, but no re-run of its drill is attached, so it counts as open: "
        f"`failwhale postmortem actions done {desk.incident_id} A1 --rerun RUN`"
    }
    with pytest.raises(GateError, match="action A1 is open"):
        workflow.close(desk)
    workflow.done(desk, "A1", rerun(desk, f"20261122T000000Z-{WHOLE_DRILL}", t0=LATER + 60))
    workflow.close(desk)
    assert status(desk) == ("closed", True)


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("run_id: 20261122T000000Z", "run_id: 20261123T000000Z", "no evidence of a run"),
        ("after: '0'", "after: '-1'", "is not what the record of 20261122T000000Z"),
        ("added_at: ", "added_at: 9", "began before action A1 was added"),
    ],
    ids=["a run that is not on disk", "a figure that its record does not give", "a run from before the action"],
)
def test_a_re_run_that_somebody_typed_is_held_against_the_recorded_run(desk: Desk, old: str, new: str, told: str) -> None:
    workflow.add(desk, WHOLE)
    workflow.review(desk, ["grace"])
    workflow.publish(desk)
    workflow.done(desk, "A1", rerun(desk, f"20261122T000000Z-{WHOLE_DRILL}", t0=LATER + 60))
    assert workflow.gates(desk, "closed") == []
    typed(desk, old, new)
    doubts = verification.doubts(actions.read(desk.directory), incidents=desk.home.incidents, incident_id=desk.incident_id)
    assert told in doubts["A1"]
    with pytest.raises(GateError, match="action A1 is open"):
        workflow.close(desk)


def test_a_declined_without_a_reason_that_somebody_typed_counts_as_unfinished(desk: Desk) -> None:
    workflow.add(desk, WHOLE)
    typed(desk, "state: open", "state: declined")
    assert "action A1 is declined without a reason: write one into actions.yaml" in workflow.gates(desk, "closed")


def test_an_action_is_changed_and_the_log_keeps_what_was_before(desk: Desk) -> None:
    workflow.add(desk, replace(WHOLE, owner=""))
    workflow.review(desk, ["grace"])
    changed = workflow.change(desk, "A1", Edit(owner="edge", due=date(2026, 12, 24)))
    assert (changed.owner, changed.due, changed.done_when) == ("edge", date(2026, 12, 24), WHOLE.done_when)
    assert actions.read(desk.directory) == (changed,)
    assert "| edge | 2026-12-24 | it holds |" in (desk.directory / store.POSTMORTEM).read_text()
    entry = list(auditlog.read(desk.directory))[-1]
    assert entry.what == "changes action A1: owner from nothing to edge; due from 2026-12-01 to 2026-12-24"
    assert entry.changed == Changed(
        "actions.changed", "A1", {"owner": "", "due": "2026-12-01"}, {"owner": "edge", "due": "2026-12-24"}
    )  # fmt: skip
    assert workflow.gates(desk, "published") == []


@pytest.mark.parametrize(
    ("action_id", "edit", "told"),
    [
        ("A1", Edit(), "says that already"),
        ("A1", Edit(owner="timelines"), "says that already"),
        ("A1", Edit(text=" "), "its text cannot be empty"),
        ("A9", Edit(owner="edge"), "there is no action 'A9'"),
    ],
)
def test_what_changes_nothing_is_refused_and_not_logged(desk: Desk, action_id: str, edit: Edit, told: str) -> None:
    workflow.add(desk, WHOLE)
    with pytest.raises(ActionError, match=told):
        workflow.change(desk, action_id, edit)
    assert len(list(auditlog.read(desk.directory))) == 1


def test_an_action_of_a_closed_postmortem_stands_as_it_is(desk: Desk) -> None:
    workflow.add(desk, WHOLE)
    workflow.decline(desk, "A1", "moot")
    store.set_status(desk.directory, "closed")
    with pytest.raises(GateError, match="its actions stand as they are"):
        workflow.change(desk, "A1", Edit(owner="edge"))


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


def test_without_a_text_no_action_is_added(desk: Desk) -> None:
    (desk.directory / store.POSTMORTEM).unlink()
    with pytest.raises(GateError, match=r"has no postmortem\.md: `failwhale postmortem new"):
        workflow.add(desk, WHOLE)
    assert actions.read(desk.directory) == ()


def test_a_list_that_cannot_be_read_is_said_to_be_one(desk: Desk) -> None:
    (desk.directory / actions.FILE).write_text("actions:\n- id: A1\n  text: 3\n")
    with pytest.raises(ActionError, match="is no list of actions"):
        actions.read(desk.directory)
