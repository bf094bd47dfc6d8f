"""The postmortem of a sham says what it is: the recorded drill, turned into one."""

from __future__ import annotations

from pathlib import Path

from chaos import events
from postmortems import check, store
from reference_app.contract import plan as plans
from reference_app.kit.home import Home
from tests.unit.postmortems.conftest import NOW, Recorded


def rewrite(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def test_the_draft_of_a_sham_says_that_nothing_was_broken_and_nothing_else(home: Home, run_id: str, prometheus: Recorded) -> None:
    run_dir = home.runs / run_id
    rewrite(run_dir / plans.FILE, '"inject": true', '"inject": true, "sham": true')
    rewrite(events.path(run_dir), '"injected"', '"sham_applied"')
    draft = store.draft(home, run_id, prometheus=prometheus, clock=lambda: NOW)
    assert check.findings(draft.incident_dir) == []
    text = draft.postmortem_path.read_text()
    for said in ("nothing was broken: this is the sham", "In the sham's phase", "the sham's phase begins"):
        assert said in text
    assert "the steps of a fault are taken, without effect: `kill_and_hold` on" in text
    for false in ("the fault was in force", "the fault is in force", "was applied to"):
        assert false not in text
