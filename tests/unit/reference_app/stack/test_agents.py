"""What was started is ended, however soon."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from reference_app.kit.home import Home
from reference_app.stack import agents

SLOW_SETSID = '#!/bin/sh\nshift\n(sleep 0.3; exec /usr/bin/setsid "$@") &\n'
"""What --fork left behind is not scheduled at once, as on a busy machine."""


def test_an_agent_that_is_ended_at_once_does_not_come_up_afterwards(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home, tools = Home(tmp_path / "lab"), tmp_path / "tools"
    tools.mkdir()
    (tools / "setsid").write_text(SLOW_SETSID)
    (tools / "setsid").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tools}:{os.environ['PATH']}")
    agents.start(home, "agent", ["sleep", "30"])
    agents.end(home, "agent")
    time.sleep(0.5)
    came_up = agents.running(home, "agent")
    agents.end(home, "agent")
    assert not came_up
