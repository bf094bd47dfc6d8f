"""What may not be published: it gets into the archive by no way."""

from __future__ import annotations

from pathlib import Path

import pytest

from postmortems import check, publishing, store, workflow
from postmortems.actions import Action
from postmortems.workflow import Desk, GateError
from reference_app.kit.home import Home


def test_a_path_of_this_machine_is_not_published(desk: Desk) -> None:
    path = desk.directory / store.POSTMORTEM
    workflow.review(desk, ["grace"])
    path.write_text(path.read_text() + f"\nSee {desk.home.path}/log.\n")
    with pytest.raises(GateError, match=r"postmortem\.md names .*, a path of this machine"):
        workflow.publish(desk)
    assert list(publishing.paths_of_the_machine(desk.directory, Home(Path("/nowhere/else")))) == []


def test_what_may_not_be_published_does_not_get_into_the_archive_by_another_way(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    workflow.review(desk, ["grace"])
    workflow.publish(desk)
    published = (desk.archive / desk.incident_id / store.POSTMORTEM).read_text()
    with pytest.raises(GateError, match=r"an action names .*, a path of this machine"):
        workflow.add(desk, Action("", f"Rotate {desk.home.path}/log", 0.0))
    workflow.add(desk, Action("", "Rotate the logs", 0.0))
    monkeypatch.setattr(check, "findings", lambda _directory: ["posts.lost is 3, not 0"])
    with pytest.raises(GateError, match=r"the actions are written; the copy in .* stays as it was"):
        workflow.decline(desk, "A1", "moot")
    monkeypatch.undo()
    (desk.directory / store.FIGURES / "notes.txt").write_text(f"{desk.home.path}/log")
    with pytest.raises(GateError, match="a path of this machine"):
        workflow.close(desk)
    assert "Rotate the logs" in (desk.archive / desk.incident_id / store.POSTMORTEM).read_text() != published
