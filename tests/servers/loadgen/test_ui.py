"""Locust's page as plain `locust` in the checkout opens it."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time

import httpx
import msgspec
import pytest

from loadgen import facts
from reference_app.kit import home as homes


@pytest.fixture
def page(target, make_home):
    """Plain `locust`: the file, the address and the class picker come from pyproject.toml."""
    home = make_home(target.port)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = os.environ | {homes.HOME_VARIABLE: str(home.path)}
    command = [sys.executable, "-m", "locust", "--web-port", str(port)]
    process = subprocess.Popen(command, cwd=homes.REPOSITORY, env=environment, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL)
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=5, trust_env=False) as client:
        wait(lambda: answers(client))
        yield home, client
    process.send_signal(signal.SIGTERM)  # a background job of a shell ignores SIGINT, and so do its children
    try:
        assert process.wait(10) == 0
    finally:
        process.kill()


def answers(client):
    try:
        return client.get("/").is_success
    except httpx.HTTPError:
        return False


def wait(until):
    deadline = time.monotonic() + 20
    while not until():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def swarm(client, target, **form):
    fields = {"user_count": 4, "spawn_rate": 4, "host": f"http://127.0.0.1:{target.port}", "shape_class": "Default"}
    return client.post("/swarm", data=fields | form).json()


def stats(client):
    return client.get("/stats/requests").json()


@pytest.mark.verify
def test_people_play_a_spike_is_recorded_and_nothing_leaves_the_machine(page, target):
    home, client = page
    shown = client.get("/").text
    assert '"available_user_classes": ["Browser", "Poster", "Reader", "Spike"]' in shown
    assert '"available_shape_classes": ["Default", "Event"]' in shown
    assert f'"host": "http://127.0.0.1:{target.port}"' in shown
    assert '"anywhere"' not in shown

    elsewhere = swarm(client, target, user_classes="Reader", host="http://example.com")
    assert elsewhere["success"] is False
    assert "example.com is not this machine" in elsewhere["message"]
    assert swarm(client, target, user_classes="Spike", scale="-1")["message"] == "the scale is -1: it must be above zero"
    assert stats(client)["state"] == "ready"

    assert swarm(client, target, user_classes="Reader")["success"] is True
    wait(lambda: "/home" in {row["name"] for row in stats(client)["stats"]})
    assert stats(client)["fail_ratio"] == 0
    client.post("/stop")
    assert not list(home.runs.glob("*"))

    assert swarm(client, target, user_classes="Spike", scale="0.01", user_count=1)["success"] is True
    wait(lambda: list(home.runs.glob(f"*/{facts.FILE}")))
    wait(lambda: stats(client)["state"] == "stopped")
    (written,) = home.runs.glob(f"*/{facts.FILE}")
    recorded = msgspec.json.decode(written.read_bytes(), type=facts.Facts)
    assert (recorded.stopped_by, recorded.sent + recorded.dropped) == ("end", recorded.planned)
