"""The edge's configuration, as HAProxy itself reads it. How it behaves: tests/servers/test_edge.py."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from reference_app.contract import metrics
from reference_app.contract.profile import LAB, PRODUCTION, Profile
from reference_app.contract.topology import STANDARD, Lab, Topology, components
from reference_app.kit.deciders import DECIDERS
from reference_app.stack import edge, servers

THREE_GATEWAYS = replace(STANDARD, name="three", instances={"gateway": 3})


def lab(topology: Topology) -> Lab:
    return Lab("/home", topology.name, 21000, components(topology, 21000), "signing", "secret")


def checked(directory: Path, text: str) -> subprocess.CompletedProcess[str]:
    configuration = directory / "edge-0.conf"
    configuration.write_text(text)
    command = [servers.locate(edge=True)["haproxy"], "-c", "-f", str(configuration)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("profile", [LAB, PRODUCTION], ids=["lab", "production"])
@pytest.mark.parametrize("topology", [STANDARD, THREE_GATEWAYS], ids=["standard", "three gateways"])
def test_haproxy_takes_the_configuration_without_a_warning(tmp_path: Path, topology: Topology, profile: Profile) -> None:
    done = checked(tmp_path, edge.haproxy(lab(topology), profile))
    assert (done.returncode, "WARNING" in done.stderr) == (0, False), done.stderr


def test_the_check_would_see_a_configuration_that_is_wrong(tmp_path: Path) -> None:
    assert checked(tmp_path, edge.haproxy(lab(STANDARD)).replace("track home/", "track nowhere/")).returncode == 1


def test_every_backend_has_every_gateway_and_one_of_them_checks_for_all() -> None:
    text = edge.haproxy(lab(THREE_GATEWAYS))
    assert text.count("server gateway-2 127.0.0.1:21002") == text.count("server gateway-2-unchecked 127.0.0.1:21002 backup") == 3
    assert text.count(" check\n") == 3
    assert text.count(f" track {metrics.EDGE_HOME}/") == 6


def test_time_constants_are_those_of_the_profile() -> None:
    production = edge.haproxy(lab(STANDARD), PRODUCTION)
    for line in ("inter 2000ms fall 2 rise 2", "timeout queue 1000ms", "timeout server 5500ms", "timeout connect 100ms"):
        assert line in production
    assert "inter 500ms fall 2 rise 2" in edge.haproxy(lab(STANDARD))


def test_requests_wait_at_the_edge_before_a_gateway_sheds_them() -> None:
    assert sum(edge.IN_FLIGHT_MAX.values()) < DECIDERS["gateway_concurrency"].default
