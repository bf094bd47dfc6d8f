"""The console as a process of a lab: started detached, kept, ended with the lab."""

from __future__ import annotations

import socket
from pathlib import Path

import httpx
import pytest

from failwhale.commands import console
from reference_app.kit.home import Home
from reference_app.stack import marks


def test_the_detached_console_answers_is_kept_and_is_ended_by_its_mark(tmp_path: Path) -> None:
    home = Home(tmp_path)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    try:
        url = console.start_detached(home, port)
        assert httpx.get(f"{url}/", timeout=5, trust_env=False).status_code == 200
        running = marks.find(home.path)
        assert running
        assert console.start_detached(home, port) == url
        assert [p.pid for p in marks.find(home.path)] == [p.pid for p in running]
        assert (home.logs / "console.log").exists()
    finally:
        marks.end(home.path, grace_s=5)
    with pytest.raises(httpx.ConnectError):
        httpx.get(url, timeout=1, trust_env=False)


def test_a_port_that_something_else_holds_is_said_to_be_taken(tmp_path: Path) -> None:
    with socket.socket() as stranger:
        stranger.bind(("127.0.0.1", 0))
        stranger.listen()
        with pytest.raises(console.ConsoleError, match=r"held by process .* and not by the console"):
            console.start_detached(Home(tmp_path), stranger.getsockname()[1])
