"""Who works on a postmortem does so alone, and what is written anew keeps what people gave it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import replace

import pytest

from postmortems import actions, check, frontmatter, store, workflow
from postmortems.actions import Action, Edit
from postmortems.workflow import Desk, GateError
from tests.unit.postmortems.conftest import LATER

WARM = Action("", "Warm the cache", 0.0)


def test_of_two_actions_that_are_added_at_once_none_is_lost(desk: Desk) -> None:
    other = threading.Thread(target=workflow.add, args=(desk, WARM))

    def while_the_other_adds() -> float:
        if other.ident is None:
            other.start()
            other.join(0.1)
        return LATER

    workflow.add(replace(desk, clock=while_the_other_adds), WARM)
    other.join()
    assert [action.id for action in actions.read(desk.directory)] == ["A1", "A2"]
    assert (desk.directory / store.POSTMORTEM).read_text().count("| Warm the cache |") == 2


def test_whatever_writes_waits_for_who_is_at_it(desk: Desk) -> None:
    steps: tuple[Callable[[Desk], object], ...] = (
        workflow.review, workflow.publish, workflow.close, lambda it: workflow.add(it, WARM), lambda it: workflow.done(it, "A1", "run"),
        lambda it: workflow.decline(it, "A1", "moot"), lambda it: workflow.change(it, "A1", Edit(owner="ada")),
    )  # fmt: skip
    with ThreadPoolExecutor(len(steps)) as pool, store.alone(desk.directory):
        asked: list[Future[object]] = [pool.submit(step, desk) for step in steps]
        assert not wait(asked, 0.3).done
    assert all(future.done() for future in asked)


def test_what_a_person_writes_while_a_draft_is_made_is_kept(desk: Desk) -> None:
    path, last = desk.directory / store.POSTMORTEM, desk.directory / store.FIGURES / "posts.vl.json"
    last.unlink()
    with ThreadPoolExecutor(1) as pool, store.alone(desk.directory):
        drafting = pool.submit(store.draft, desk.home, desk.incident_id, prometheus=None)
        while not last.exists():
            assert not wait([drafting], 0.01).done
        wait([drafting], 0.3)
        path.write_text(f"{path.read_text()}\nmine\n")
    assert "was edited by a person and is kept" in drafting.result().message
    assert path.read_text().endswith("\nmine\n")


def test_a_draft_that_nobody_edited_keeps_its_reviewers_when_it_is_written_anew(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(check, "findings", lambda _directory: ["posts.lost is 3, not 0"])
    with pytest.raises(GateError, match="not true"):
        workflow.review(desk, ["grace"])
    assert store.draft(desk.home, desk.incident_id, prometheus=None).message == ""
    assert frontmatter.read((desk.directory / store.POSTMORTEM).read_text())["reviewers"] == ["grace"]
    assert store.draft(desk.home, desk.incident_id, prometheus=None).message == "", "it is still what nobody edited"


@pytest.mark.parametrize("head", ["no front matter", "---\nreviewers: []\n---\n"])
def test_a_text_that_names_no_reviewers_does_not_keep_a_draft_from_being_written(desk: Desk, head: str) -> None:
    (desk.directory / store.POSTMORTEM).write_text(head)
    assert "was edited by a person and is kept" in store.draft(desk.home, desk.incident_id, prometheus=None).message
    assert "reviewers: []" in (desk.directory / store.DRAFT).read_text()
