"""From a draft to a published postmortem, as a user of the console goes."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from streamlit.testing.v1.element_tree import TextInput

from dashboards.console import desk as desks
from postmortems import actions, auditlog, store, workflow
from postmortems.actions import Action
from postmortems.workflow import Desk
from reference_app.kit.home import Home
from tests.unit.dashboards.console.conftest import Open
from tests.unit.dashboards.console.pages import Page

WRITE, STEPS = "Write", "Review, actions, publish"


@pytest.fixture
def archive(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    directory = tmp_path_factory.mktemp("archive")
    monkeypatch.setenv(desks.ARCHIVE_VARIABLE, str(directory))
    return directory


@pytest.fixture
def desk(home: Home, run_id: str, archive: Path) -> Desk:
    assert archive
    return desks.at(home, run_id, "ada")


def text_of(desk: Desk) -> str:
    return (desk.directory / store.POSTMORTEM).read_text()


def write(page: Page, desk: Desk, text: str) -> Page:
    page.app.text_area(key=f"text-{desk.incident_id}").set_value(text)
    return page.run()


def test_a_text_is_edited_and_lint_finds_what_had_better_not_be_said(desk: Desk, opened: Open) -> None:
    before = text_of(desk)
    page = write(opened("postmortems", part=WRITE), desk, f"{before}\nThe outage was caused by human error.\n")
    assert any("human error" in block.value for block in page.app.markdown)
    page.app.button(key="save").click()
    assert "The text is saved" in page.run().told
    assert text_of(desk).endswith("human error.\n")
    assert [entry.what for entry in auditlog.read(desk.directory)] == ["edits the text"]
    assert store.draft(desk.home, desk.incident_id, prometheus=None).message  # a person's text is kept


def test_what_somebody_else_wrote_meanwhile_is_not_overwritten(desk: Desk) -> None:
    opened = text_of(desk)
    (desk.directory / store.POSTMORTEM).write_text(f"{opened}\nmeanwhile\n")
    said = desks.save(desk, f"{opened}\nmine\n", opened=opened)
    assert "changed by somebody else" in said.unmet[0]
    assert text_of(desk).endswith("meanwhile\n")


def test_a_page_that_was_open_while_somebody_else_wrote_does_not_overwrite_it(desk: Desk, opened: Open) -> None:
    before = text_of(desk)
    page = write(opened("postmortems", part=WRITE), desk, f"{before}\nmine\n")
    (desk.directory / store.POSTMORTEM).write_text(f"{before}\nmeanwhile\n")
    page.run().app.button(key="save").click()
    assert "changed by somebody else" in page.run().told
    assert text_of(desk).endswith("meanwhile\n")
    assert page.app.text_area(key=f"text-{desk.incident_id}").value.endswith("mine\n"), "nobody's words are lost"


def test_an_action_that_is_added_meanwhile_does_not_keep_the_text_from_being_saved(desk: Desk) -> None:
    opened = text_of(desk)
    workflow.add(desk, Action("", "Warm the cache", 0.0))
    assert desks.save(desk, f"{opened}\nmine\n", opened=opened).done
    assert text_of(desk).endswith("mine\n")
    assert "| Warm the cache |" in text_of(desk)


def test_a_list_of_actions_that_cannot_be_read_is_told(desk: Desk, opened: Open) -> None:
    (desk.directory / actions.FILE).write_text("actions: 3\n")
    page = opened("postmortems", part=STEPS)
    assert not page.app.exception
    assert "is no list of actions" in page.told


def test_an_action_without_a_text_to_stand_in_is_refused_in_words(desk: Desk) -> None:
    (desk.directory / store.POSTMORTEM).unlink()
    said = desks.tried(lambda: workflow.add(desk, Action("", "Warm the cache", 0.0)), done="added")
    assert "has no postmortem.md" in said.unmet[0]


def test_what_is_not_saved_yet_is_still_there_after_a_look_at_another_part(desk: Desk, opened: Open) -> None:
    page = write(opened("postmortems", part=WRITE), desk, "my unsaved words")
    page.app.query_params["part"] = STEPS
    assert not [area for area in page.run().app.text_area if area.key == f"text-{desk.incident_id}"]
    page.app.query_params["part"] = WRITE
    assert page.run().app.text_area(key=f"text-{desk.incident_id}").value == "my unsaved words"


def test_who_said_who_he_is_saves_a_text_under_that_name(desk: Desk, opened: Open) -> None:
    page = opened("postmortems", part=STEPS)
    assert page.app.text_input(key="by").value == desks.login()
    page.app.text_input(key="by").set_value("grace")
    page.run().app.query_params["part"] = WRITE
    write(page.run(), desk, f"{text_of(desk)}\nmine\n").app.button(key="save").click()
    assert "The text is saved" in page.run().told
    assert [entry.by for entry in auditlog.read(desk.directory)] == ["grace"]
    page.app.query_params["part"] = STEPS
    assert page.run().app.text_input(key="by").value == "grace"


def test_a_page_on_which_nothing_was_written_shows_what_somebody_else_wrote(desk: Desk, opened: Open) -> None:
    page = opened("postmortems", part=WRITE)
    (desk.directory / store.POSTMORTEM).write_text(f"{text_of(desk)}\nmeanwhile\n")
    assert page.run().app.text_area(key=f"text-{desk.incident_id}").value.endswith("meanwhile\n")


def test_a_status_that_somebody_writes_into_the_text_is_no_entry_of_the_log(desk: Desk) -> None:
    opened = text_of(desk)
    assert desks.save(desk, opened.replace("status: draft", "status: final"), opened=opened).done
    assert [entry.status for entry in auditlog.read(desk.directory)] == ["draft"]


def test_a_text_without_its_head_is_not_written(desk: Desk) -> None:
    said = desks.save(desk, "no front matter", opened=text_of(desk))
    assert "Nothing was written, because there is no front matter" in said.unmet[0]
    assert text_of(desk) != "no front matter"


def test_review_needs_a_reviewer_and_then_moves_on(desk: Desk, opened: Open) -> None:
    page = opened("postmortems", part=STEPS)
    assert any("no reviewers are named" in block.value for block in page.app.markdown)
    assert page.app.button(key="forward").disabled
    page.app.text_input(key="reviewers").set_value("grace, edsger")
    page.run().app.button(key="forward").click()
    assert "It is in-review now" in page.run().told
    assert store.read(desk.home, desk.incident_id).header.status == "in-review"
    assert page.app.button(key="forward").label == "Publish"


def test_an_action_is_added_and_one_without_owner_stands_between_review_and_publishing(desk: Desk, archive: Path, opened: Open) -> None:
    workflow.review(desk, ["grace"])
    page = opened("postmortems", part=STEPS)
    page.app.text_input(key="action-text").set_value("Alert on a replica that lags")
    next(button for button in page.app.button if button.label == "Add the action").click()
    page.run()
    assert any("A1 lacks an owner" in block.value for block in page.app.markdown)
    assert page.app.button(key="forward").disabled
    page.app.text_input(key="reason-declined").set_value("there is no replica here")
    page.run().app.button(key="action-declined").click()
    page.run().app.button(key="forward").click()
    assert "It is published now" in page.run().told
    assert (archive / desk.incident_id / store.POSTMORTEM).exists()


def field(page: Page, name: str) -> TextInput:
    return next(each for each in page.app.text_input if (each.key or "").startswith(f"change-{name}-"))


def test_an_action_is_changed_in_the_form_and_the_log_says_what_was_before(desk: Desk, opened: Open) -> None:
    workflow.add(desk, Action("", "Alert on lag", 0.0, owner="ada"))
    page = opened("postmortems", part=STEPS)
    assert field(page, "owner").value == "ada"
    field(page, "owner").set_value("grace")
    field(page, "done-when").set_value("an alert fires")
    next(button for button in page.app.button if button.label == "Change the action").click()
    assert "A1 is changed" in page.run().told
    changed = actions.read(desk.directory)[0]
    assert (changed.text, changed.owner, changed.done_when) == ("Alert on lag", "grace", "an alert fires")
    assert page.table("who")["what"][0] == "changes action A1: owner from ada to grace; done-when from nothing to an alert fires"
    assert field(page, "owner").value == "grace"


def test_a_form_in_which_nothing_was_written_changes_nothing_and_says_so(desk: Desk, opened: Open) -> None:
    workflow.add(desk, Action("", "Alert on lag", 0.0, owner="ada"))
    page = opened("postmortems", part=STEPS)
    next(button for button in page.app.button if button.label == "Change the action").click()
    assert "says that already" in page.run().told


def test_an_action_that_somebody_typed_as_done_is_told_and_waits_still(desk: Desk, opened: Open) -> None:
    workflow.add(desk, Action("", "Alert on lag", 0.0))
    path = desk.directory / actions.FILE
    path.write_text(path.read_text().replace("state: open", "state: done"))
    page = opened("postmortems", part=STEPS)
    assert "action A1 says done, but no re-run of its drill is attached" in page.told
    assert page.app.selectbox(key="open-action").options == ["A1"]


def test_a_gate_that_is_not_met_is_told_in_a_sentence(desk: Desk) -> None:
    workflow.review(desk, ["grace"])
    workflow.add(desk, Action("", "Alert on lag", 0.0, owner="ada", due=date(2026, 12, 1)))
    said = desks.forward(desk, "in-review", [])
    assert any("lacks a done-when" in sentence for sentence in said.unmet)


def test_an_action_that_is_not_there_is_told(desk: Desk) -> None:
    said = desks.tried(lambda: workflow.decline(desk, "A9", "why"), done="never")
    assert "there is no action 'A9'" in said.unmet[0]


def test_a_page_that_cannot_be_printed_says_why(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    assert "Chromium" in desks.printed(desk).unmet[0]
