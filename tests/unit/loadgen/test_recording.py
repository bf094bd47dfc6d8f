from __future__ import annotations

import pytest

from loadgen import facts as own
from loadgen import history, plans, recording, report
from reference_app.contract.plan import phases
from reference_app.kit import files

NOW = 1_790_000_000.0
END = NOW + plans.LEAD_S + 160 + plans.DRAIN_S


@pytest.fixture
def run_dir(home):
    return plans.create(home, preset="goal", seed=1, now=NOW, phases=phases())


def test_a_load_is_under_way_until_its_last_answers_are_in(home, run_dir):
    files.write_atomic(run_dir / history.FILE, b"")
    assert recording.under_way(home, now=NOW) == (run_dir.name, 170)
    assert recording.under_way(home, now=END - 1) == (run_dir.name, 1)
    assert recording.under_way(home, now=END) is None


def test_a_load_that_wrote_how_it_fared_or_was_reported_is_over(home, run_dir, facts):
    files.write_atomic(run_dir / history.FILE, b"")
    own.write(run_dir, facts())
    assert recording.under_way(home, now=NOW + 50) is None
    (run_dir / own.FILE).rename(run_dir / report.FILE)
    assert recording.under_way(home, now=NOW + 50) is None


def test_a_load_that_was_too_late_to_begin_is_not_waited_for(home, run_dir):
    assert recording.under_way(home, now=NOW + 14) == (run_dir.name, 156)
    assert recording.under_way(home, now=NOW + 16) is None


@pytest.mark.parametrize("content", [None, "", '{"run_id": 7}'])
def test_what_cannot_be_read_is_not_under_way(home, run_dir, content):
    path = run_dir / "plan.json"
    path.unlink() if content is None else path.write_text(content)
    assert recording.under_way(home, now=NOW) is None
