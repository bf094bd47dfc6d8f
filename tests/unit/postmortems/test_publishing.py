"""What may not be published: it gets into the archive by no way."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from postmortems import check, publishing, store, tables, workflow
from postmortems.actions import Action, Edit
from postmortems.workflow import Desk, GateError
from reference_app.kit.home import Home

ROTATE = Action("", "Rotate the logs", 0.0, owner="edge", due=date(2026, 12, 1), done_when="no log is over 10 MB")


def test_a_path_of_this_machine_is_not_published(desk: Desk) -> None:
    path = desk.directory / store.POSTMORTEM
    workflow.review(desk, ["grace"])
    path.write_text(path.read_text() + f"\nSee {desk.home.path}/log.\n")
    assert any("a path of this machine" in sentence for sentence in workflow.gates(desk, "published"))
    with pytest.raises(GateError, match=r"postmortem\.md names .*, a path of this machine"):
        workflow.publish(desk)
    assert list(publishing.paths_of_the_machine(desk.directory, Home(Path("/nowhere/else")))) == []


def test_what_may_not_be_published_does_not_get_into_the_archive_by_another_way(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    workflow.review(desk, ["grace"])
    workflow.publish(desk)
    published = (desk.archive / desk.incident_id / store.POSTMORTEM).read_text()
    with pytest.raises(GateError, match=r"an action names .*, a path of this machine"):
        workflow.add(desk, replace(ROTATE, text=f"Rotate {desk.home.path}/log"))
    workflow.add(desk, ROTATE)
    monkeypatch.setattr(check, "findings", lambda _directory: ["posts.lost is 3, not 0"])
    with pytest.raises(GateError, match=r"the actions are written; the copy in .* stays as it was"):
        workflow.decline(desk, "A1", "moot")
    monkeypatch.undo()
    (desk.directory / store.FIGURES / "notes.txt").write_text(f"{desk.home.path}/log")
    with pytest.raises(GateError, match="a path of this machine"):
        workflow.close(desk)
    assert "Rotate the logs" in (desk.archive / desk.incident_id / store.POSTMORTEM).read_text() != published


def test_an_action_that_says_not_who_or_until_when_is_written_and_does_not_get_into_the_archive(desk: Desk) -> None:
    workflow.review(desk, ["grace"])
    workflow.publish(desk)
    archived = desk.archive / desk.incident_id / store.POSTMORTEM
    with pytest.raises(GateError, match="action A1 lacks an owner"):
        workflow.add(desk, replace(ROTATE, owner=""))
    assert "Rotate the logs" in (desk.directory / store.POSTMORTEM).read_text()
    assert "Rotate the logs" not in archived.read_text()
    workflow.change(desk, "A1", Edit(owner="edge"))
    with pytest.raises(GateError, match="action A1 lacks a done-when"):
        workflow.change(desk, "A1", Edit(done_when=" "))
    assert "| edge | 2026-12-01 | no log is over 10 MB |" in archived.read_text()


def test_a_picture_is_published_unless_it_names_a_path_of_this_machine(desk: Desk) -> None:
    workflow.review(desk, ["grace"])
    picture = desk.directory / store.FIGURES / "more" / "drawn.png"
    picture.parent.mkdir()
    picture.write_bytes(b"\x89PNG\xff" + str(desk.home.path).encode() + b"\xfe")
    with pytest.raises(GateError, match=r"figures/more/drawn\.png names .*, a path of this machine"):
        workflow.publish(desk)
    picture.write_bytes(b"\x89PNG\xff\xfe")
    assert workflow.publish(desk).header.status == "published"


@pytest.mark.parametrize("damaged", [b"", b"PAR1 and a part", b"PAR1\xff\xff\xff\x00\x10\x00\x00\x00PAR1"])
def test_a_table_that_is_damaged_is_read_as_what_it_is(desk: Desk, damaged: bytes) -> None:
    (desk.directory / store.SNAPSHOT / tables.SERIES).write_bytes(damaged)
    assert list(publishing.paths_of_the_machine(desk.directory, desk.home)) == []
