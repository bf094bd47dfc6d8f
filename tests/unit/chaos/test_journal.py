from __future__ import annotations

import json
from pathlib import Path

from chaos import journal

REAL = {
    "chaoslib-version": "1.44.0", "platform": "Linux", "node": "n", "experiment": {"title": "t"}, "start": "s", "end": "e", "duration": 1.0,
    "status": "completed", "deviated": True,
    "steady_states": {
        "before": {"steady_state_met": True, "probes": [{"activity": {"name": "p", "type": "probe", "tolerance": True}, "output": 1.0,
                                                        "start": "s", "status": "succeeded", "end": "e", "duration": 0.1, "tolerance_met": True}]},
        "after": None, "during": [],
    },
    "run": [{"activity": {"name": "kill", "type": "action"}, "output": None, "status": "failed",
             "exception": ["Traceback\n", "chaoslib.exceptions.ActivityFailed: it is stopped\n"]}],
    "rollbacks": [],
}  # fmt: skip


def test_a_journal_is_read_with_its_failures(tmp_path: Path) -> None:
    journal.path(tmp_path).parent.mkdir()
    journal.path(tmp_path).write_text(json.dumps(REAL))
    found = journal.read(tmp_path)
    assert found is not None
    assert (found.status, found.deviated) == ("completed", True)
    assert found.failures == ("kill: chaoslib.exceptions.ActivityFailed: it is stopped",)
    assert found.steady_states.before is not None
    assert found.steady_states.before.probes[0].output == 1.0


def test_a_run_that_was_killed_has_no_journal(tmp_path: Path) -> None:
    assert journal.read(tmp_path) is None
