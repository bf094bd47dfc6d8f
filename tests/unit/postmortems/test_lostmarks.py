from __future__ import annotations

import pytest

from postmortems import check, evidence, store, wording
from postmortems.model import Draft
from reference_app.kit.home import Home

NOW = 1795229200.0


def write(drafted: Draft, old: str, new: str) -> None:
    text = drafted.postmortem_path.read_text()
    assert old in text
    drafted.postmortem_path.write_text(text.replace(old, new, 1))


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        (
            "Of 73<!-- fig:posts.acknowledged -->", "Of 99",
            "postmortem.md marks posts.acknowledged once, its draft 2 times: write 73<!-- fig:posts.acknowledged --> where the number was",
        ),
        (
            "Verdict: deviated<!-- fig:verdict -->; ", "",
            "postmortem.md marks verdict nowhere, its draft once: write deviated<!-- fig:verdict --> where the number was",
        ),
    ],
    ids=["a number without its mark", "a number that is gone"],
)  # fmt: skip
def test_a_figure_that_lost_its_mark_is_found(drafted: Draft, old: str, new: str, told: str) -> None:
    write(drafted, old, new)
    assert check.findings(drafted.incident_dir) == [told]


def test_a_text_without_any_mark_is_told_of_every_figure_that_its_draft_had(drafted: Draft) -> None:
    text = drafted.postmortem_path.read_text()
    drafted.postmortem_path.write_text(wording.unmarked(text))
    found = check.findings(drafted.incident_dir)
    assert {stated.name for stated in wording.stated(text)} == {one.split()[2] for one in found if "nowhere, its draft" in one}


def test_a_figure_may_be_moved_and_quoted_again(drafted: Draft) -> None:
    write(drafted, "Verdict: deviated<!-- fig:verdict -->; ", "")
    text = drafted.postmortem_path.read_text()
    drafted.postmortem_path.write_text(
        f"{text}\nIt is deviated<!-- fig:verdict -->, yes: deviated<!-- fig:verdict -->.\n",
    )
    assert check.findings(drafted.incident_dir) == []


def test_a_text_is_held_against_the_template_that_it_was_drafted_by(
    home: Home, run_id: str, drafted: Draft, prometheus: evidence.Signals
) -> None:
    write(drafted, "## Summary", "## Summary\n\nA person wrote this.")
    for template in ("short", "drill"):
        again = store.draft(home, run_id, prometheus=prometheus, clock=lambda: NOW, template=template)
        assert "is kept" in again.message
        assert check.findings(drafted.incident_dir) == []


def test_a_short_draft_misses_nothing_of_the_long_one(home: Home, run_id: str, drafted: Draft, prometheus: evidence.Signals) -> None:
    store.draft(home, run_id, prometheus=prometheus, clock=lambda: NOW, template="short")
    assert "## Clocks" not in drafted.postmortem_path.read_text()
    assert check.findings(drafted.incident_dir) == []


def test_a_template_of_which_there_is_none_is_named(drafted: Draft) -> None:
    write(drafted, "template: drill/v1", "template: none/v1")
    assert check.findings(drafted.incident_dir) == [
        "postmortem.md names the template 'none/v1', of which no draft can be made: there are drill/v1, incident/v1, short/v1"
    ]
