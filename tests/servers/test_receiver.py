from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import httpx
import pytest

from postmortems import heartbeat, incidentlog, receiver, silencing
from postmortems.incidents import LiveIncident
from reference_app.contract.topology import SMALL, Component, Lab
from reference_app.kit import files
from reference_app.kit.home import HOME_VARIABLE, Home
from reference_app.stack import render
from tests.servers.conftest import program

PAGE = {"alertname": "SloBurn", "severity": "page", "slo": "home-completeness"}
WATCHDOG = {"alertname": "Watchdog", "severity": "none", "component": "prometheus"}
TICKET = {"alertname": "ComponentDown", "severity": "ticket", "component": "tweets-db-0-primary"}


@contextmanager
def running(argv: list[str], directory: Path) -> Iterator[subprocess.Popen[bytes]]:
    with (directory / "log").open("ab") as log:
        process = subprocess.Popen(argv, stdout=log, stderr=log, env=os.environ | {HOME_VARIABLE: str(directory)}, start_new_session=True)
    try:
        yield process
    finally:
        process.kill()
        process.wait(10)


def eventually(look: Callable[[], bool], told: str, limit_s: float = 30) -> None:
    deadline = time.monotonic() + limit_s
    while not look():
        assert time.monotonic() < deadline, told
        time.sleep(0.1)


def manager(lab: Lab, directory: Path) -> list[str]:
    """Alertmanager's command line, with the lab's configuration."""
    (directory / "alertmanager.yml").write_text(render.alertmanager(lab, directory / "none.yml"))
    return [
        program("prometheus-alertmanager"), f"--config.file={directory / 'alertmanager.yml'}", f"--storage.path={directory / 'data'}",
        f"--web.listen-address=127.0.0.1:{lab.component('alertmanager').port}", "--cluster.listen-address=",
    ]  # fmt: skip


def tell(lab: Lab, *labels: dict[str, str], ended: bool = False) -> None:
    """As Prometheus tells Alertmanager."""
    now = datetime.now(UTC)
    ends = now if ended else now + timedelta(minutes=5)
    body = [{"labels": one, "annotations": {"summary": "told"}, "endsAt": ends.isoformat()} for one in labels]
    httpx.post(f"{lab.alertmanager_url}/api/v2/alerts", json=body).raise_for_status()


def test_the_heartbeat_is_told_again_and_again_and_is_no_incident(tmp_path: Path, free_port: Callable[[], int]) -> None:
    told: list[float] = []

    class Listening(receiver.Receiver):
        def take(self, body: bytes) -> None:
            super().take(body)
            told.append(time.monotonic())

    home, parts = (
        Home(tmp_path),
        tuple(
            Component(name, name, name, 0, free_port(), shard=name)  # type: ignore[arg-type]
            for name in ("alertmanager", "receiver")
        ),
    )
    lab = Lab(str(tmp_path), SMALL.name, 18000, parts, "signing", "secret")
    with ExitStack() as stack:
        server = stack.enter_context(receiver.serve(Listening(home), parts[1].port))
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        stack.callback(server.shutdown)
        stack.enter_context(running(manager(lab, tmp_path), tmp_path))
        eventually(lambda: _answers(f"{lab.alertmanager_url}/-/ready"), "Alertmanager is ready")
        tell(lab, WATCHDOG)
        eventually(lambda: len(told) >= 4, "the heartbeat is told four times")
    assert all(1 < after - before < heartbeat.PATIENCE_S / 2 for before, after in pairwise(told))
    assert incidentlog.read(home).incidents == {}


@pytest.mark.verify
def test_an_alertmanager_tells_a_receiver_that_is_killed_in_between(tmp_path: Path, free_port: Callable[[], int]) -> None:
    home = Home(tmp_path)
    parts = tuple(Component(name, name, name, 0, free_port(), shard=name) for name in ("alertmanager", "receiver"))  # type: ignore[arg-type]
    lab = Lab(str(tmp_path), SMALL.name, 18000, parts, "signing", "secret")
    files.write_json(home.lab_file, lab)

    def newest() -> LiveIncident | None:
        return next(iter(incidentlog.read(home).incidents.values()), None)

    with ExitStack() as stack:
        stack.enter_context(running(manager(lab, tmp_path), tmp_path))
        first = stack.enter_context(running([sys.executable, "-m", receiver.__name__], tmp_path))
        eventually(lambda: _answers(f"{lab.alertmanager_url}/-/ready"), "Alertmanager is ready")
        tell(lab, PAGE)
        eventually(lambda: (found := newest()) is not None and found.status == "open", "the page opens an incident")
        first.kill()
        first.wait(10)
        tell(lab, TICKET)
        stack.enter_context(running([sys.executable, "-m", receiver.__name__], tmp_path))
        eventually(lambda: (found := newest()) is not None and len(found.alerts) == 2, "what fired meanwhile is told again")
        found = newest()
        assert found is not None
        assert len(silencing.silence(lab.alertmanager_url, found, since=time.time(), seconds=60, by="ada", comment="")) == 2
        tell(lab, PAGE, TICKET, ended=True)
        eventually(lambda: (found := newest()) is not None and found.status == "resolved", "it resolves, although it is silenced")
    assert len(incidentlog.read(home).incidents) == 1


def _answers(url: str) -> bool:
    try:
        return httpx.get(url).status_code == 200
    except httpx.HTTPError:
        return False
