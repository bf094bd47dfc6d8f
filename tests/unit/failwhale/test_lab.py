"""The list of programs and the layout of a lab."""

from __future__ import annotations

from pathlib import Path

import pytest

from failwhale import lab
from reference_app.contract.topology import DEFAULT_PORT_BASE
from reference_app.kit.home import Home
from reference_app.stack import errors, servers

SERVERS = {name: f"/usr/bin/{name}" for name in servers.PACKAGES | servers.EDGE_PACKAGES}


def test_a_new_lab_takes_the_default_ports_and_fresh_secrets(tmp_path: Path) -> None:
    first, second = lab.laid_out(Home(tmp_path), {}), lab.laid_out(Home(tmp_path), {})
    assert first.port_base == DEFAULT_PORT_BASE
    assert first.signing_key != second.signing_key


def test_a_known_lab_keeps_its_secrets_and_ports_until_it_is_moved(tmp_path: Path) -> None:
    home = Home(tmp_path)
    first = lab.laid_out(home, {lab.PORT_BASE_VARIABLE: "21000"})
    lab.save(home, first)
    assert lab.laid_out(home, {}) == first
    moved = lab.laid_out(home, {lab.PORT_BASE_VARIABLE: "22000"})
    assert (moved.signing_key, moved.port_base, moved.component("gateway-0").port) == (first.signing_key, 22000, 22000)


@pytest.mark.parametrize("wanted", ["abc", "70000", "-5", "0", "80", "65437", "18000.5", "²"])
def test_ports_that_are_none_are_refused_with_those_that_are(tmp_path: Path, wanted: str) -> None:
    with pytest.raises(errors.StackError, match="the first of 100 ports, a number from 1024 to 65436") as refused:
        lab.laid_out(Home(tmp_path), {lab.PORT_BASE_VARIABLE: wanted})
    assert f"{lab.PORT_BASE_VARIABLE} is '{wanted}'" in str(refused.value)


@pytest.mark.parametrize("wanted", ["1024", "65436"])
def test_the_first_and_the_last_ports_are_taken(tmp_path: Path, wanted: str) -> None:
    laid = lab.laid_out(Home(tmp_path), {lab.PORT_BASE_VARIABLE: wanted})
    assert laid.port_base == int(wanted)
    assert laid.generator_ports[-1] < 65536


def test_every_component_is_a_program_and_stores_come_before_services_before_the_prober(tmp_path: Path) -> None:
    laid = lab.laid_out(Home(tmp_path), {})
    listed = lab.programs(Home(tmp_path), laid, SERVERS)
    assert {p.name for p in listed} == {c.name for c in laid.components}
    assert [p.wave for p in listed] == sorted(p.wave for p in listed)
    waves = {p.name: p.wave for p in listed}
    assert waves["tweets-db-0-replica"] < waves["gateway-0"] < waves["prober"]


def test_the_edge_starts_after_the_gateways_on_the_cores_of_what_is_under_test(tmp_path: Path) -> None:
    listed = {p.name: p for p in lab.programs(Home(tmp_path), lab.laid_out(Home(tmp_path), {}, "standard"), SERVERS)}
    assert listed["edge-0"].wave > listed["gateway-1"].wave
    assert listed["edge-0"].argv[:3] == listed["gateway-0"].argv[:3]
    assert listed["edge-0"].argv[-4:] == ("/usr/bin/haproxy", "-db", "-f", str(tmp_path / "conf" / "edge-0.conf"))


def test_a_home_keeps_its_topology_and_a_new_one_is_small(tmp_path: Path) -> None:
    home = Home(tmp_path)
    assert lab.laid_out(home, {}).topology == "small"
    lab.save(home, lab.laid_out(home, {}, "standard"))
    assert lab.laid_out(home, {}).topology == "standard"
    assert lab.laid_out(home, {}).group("edge")


def test_a_home_with_another_topology_is_refused_with_both_ways_out(tmp_path: Path) -> None:
    home = Home(tmp_path)
    lab.save(home, lab.laid_out(home, {}))
    with pytest.raises(errors.TopologyError, match=r"small: run `failwhale reset --yes`.*FAILWHALE_HOME=DIRECTORY"):
        lab.laid_out(home, {}, "standard")


def test_an_unknown_topology_is_answered_with_those_there_are(tmp_path: Path) -> None:
    with pytest.raises(errors.TopologyError, match="'huge'; there are small, standard"):
        lab.laid_out(Home(tmp_path), {}, "huge")


@pytest.mark.parametrize(("available", "split"), [([0, 1], ([0], [1])), ([0, 1, 2, 3], ([0, 1, 2], [3])), ([5], ([], [])), ([], ([], []))])
def test_the_last_core_is_for_tools_and_a_single_core_is_not_pinned(available: list[int], split: tuple[list[int], list[int]]) -> None:
    assert lab.cores(available) == split


def test_databases_without_a_replica_do_not_wait_for_one(tmp_path: Path) -> None:
    laid = lab.laid_out(Home(tmp_path), {})
    commands = {p.name: p.argv for p in lab.programs(Home(tmp_path), laid, SERVERS)}
    assert "--rpl-semi-sync-master-wait-no-slave=ON" in commands["tweets-db-1-primary"]
    assert "--rpl-semi-sync-master-wait-no-slave=ON" not in commands["users-db-0"]
