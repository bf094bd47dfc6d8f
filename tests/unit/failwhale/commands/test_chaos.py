"""What `failwhale chaos run` says of what happened."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from chaos import events
from chaos.session import Session
from failwhale.commands import chaos
from reference_app.kit.home import Home


def test_each_event_is_told_with_its_reason(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    here = Session(Home(tmp_path), "run-1")
    events.write(here.run_dir, "injected", clock=time.time, fault="pause", components=("graph-0", "users-0"))
    events.write(here.run_dir, "run_vetoed", clock=time.time, reason="chaos is halted")
    chaos._report(here, as_json=False)
    assert [line.partition(" ")[2] for line in capsys.readouterr().err.splitlines()] == [
        "injected pause graph-0, users-0",
        "run_vetoed chaos is halted",
    ]
