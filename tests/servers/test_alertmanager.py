"""A real Alertmanager with the generated configuration: which tickets it mutes, and that it mutes no page."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from dashboards.rules import inhibition
from reference_app.contract.topology import SMALL, Lab, components
from reference_app.stack import render
from tests.servers import conftest

NOWHERE = 1
LAB = Lab("/home", SMALL.name, NOWHERE, components(SMALL, NOWHERE), signing_key="", supervisor_password="")
"""Its receiver has a port on which nobody listens: what fires here is no incident of a lab that runs."""
Alert = tuple[str, str, str]
"""Name, component, severity."""
SLOW_TWEETS: Alert = ("ComponentSlow", "tweets-0", "ticket")


@pytest.fixture
def alertmanager(tmp_path: Path, free_port: Any) -> Iterator[str]:
    """Its address."""
    port, config = free_port(), tmp_path / "alertmanager.yml"
    config.write_text(render.alertmanager(LAB))
    argv = [conftest.program("prometheus-alertmanager"), f"--config.file={config}", f"--storage.path={tmp_path}",
            f"--web.listen-address=127.0.0.1:{port}", "--cluster.listen-address=", "--log.level=error"]  # fmt: skip
    with subprocess.Popen(argv) as process:
        url = f"http://127.0.0.1:{port}"
        with httpx.Client(transport=httpx.HTTPTransport(retries=8)) as client:
            client.get(f"{url}/-/ready", timeout=10)
        yield url
        process.terminate()


def muted(url: str, *alerts: Alert) -> set[Alert]:
    """Which of these Alertmanager mutes when all of them fire."""
    told = [{"labels": {"alertname": name, "component": component, "severity": severity}} for name, component, severity in alerts]
    assert httpx.post(f"{url}/api/v2/alerts", json=told).status_code == 200
    known = httpx.get(f"{url}/api/v2/alerts").json()
    return {tuple(a["labels"][key] for key in ("alertname", "component", "severity")) for a in known if a["status"]["inhibitedBy"]}


def test_a_cause_mutes_the_tickets_of_all_who_depend_on_it_and_no_page(alertmanager: str) -> None:
    cause: Alert = ("ComponentDown", "tweets-db-0-primary", "ticket")
    effects: set[Alert] = {SLOW_TWEETS, ("ServiceSaturated", "timelines-1", "ticket"), ("RequestsShed", "gateway-0", "ticket")}
    loud: set[Alert] = {
        ("SloBurn", "gateway", "page"), ("ComponentSlow", "gateway-0", "page"),
        # none of them calls the database: below it, beside it, or another cause
        ("ComponentSlow", "users-0", "ticket"), ("ComponentDown", "tweets-0", "ticket"), ("CacheHitRateLow", "tweet-cache-0", "ticket"),
    }  # fmt: skip
    assert muted(alertmanager, cause, *effects, *loud) == effects


def test_what_is_down_is_not_said_to_be_slow_and_an_effect_without_its_cause_is_heard(alertmanager: str) -> None:
    assert muted(alertmanager, SLOW_TWEETS, ("SloBurn", "gateway", "page")) == set()
    down, disk = ("ComponentDown", "graph-db-0", "ticket"), ("DiskFilling", "graph-db-0", "ticket")
    assert muted(alertmanager, down, disk, ("DiskFilling", "users-db-0", "ticket")) == {disk}


def test_amtool_accepts_the_configuration(tmp_path: Path) -> None:
    (tmp_path / "alertmanager.yml").write_text(render.alertmanager(LAB))
    checked = subprocess.run(
        [conftest.program("amtool"), "check-config", tmp_path / "alertmanager.yml"], capture_output=True, text=True, check=False
    )
    assert checked.returncode == 0, checked.stderr
    assert f"{len(inhibition.inhibitions())} inhibit rules" in checked.stdout
