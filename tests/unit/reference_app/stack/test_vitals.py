from __future__ import annotations

import asyncio
from pathlib import Path

from reference_app.contract import metrics, topology
from reference_app.contract.topology import Lab
from reference_app.kit import roles
from reference_app.kit.roles import Roles
from reference_app.stack import vitals
from reference_app.stack.database_vitals import Database
from reference_app.stack.host_vitals import Host


def laid(layout: topology.Topology) -> Lab:
    return Lab("", layout.name, 20000, topology.components(layout, 20000), "", "")


def kinds(lab: Lab) -> dict[str, str]:
    return {c.name: type(vitals.of(c, lab)).__name__ for c in lab.components}


def test_each_component_tells_what_its_kind_knows() -> None:
    told = kinds(laid(topology.SMALL))
    assert told["tweets-db-0-primary"] == told["tweets-db-1-replica"] == "Database"
    assert told["timeline-cache-1"] == told["tweet-cache-0"] == "CacheUse"
    assert told["events-0"] == "StreamLag"
    assert told["users-db-0"] == "Database"
    assert told["gateway-0"] == told["prometheus"] == "Vitals"


def test_every_database_of_the_standard_lab_is_a_pair_and_the_edge_has_nothing_to_tell() -> None:
    told = kinds(laid(topology.STANDARD))
    assert told["users-db-0-primary"] == told["users-db-0-replica"] == told["graph-db-1-primary"] == "Database"
    assert told["edge-0"] == "Vitals"


def test_a_member_of_a_pair_tells_what_the_role_has_to_tell_that_it_has_now(tmp_path: Path) -> None:
    lab, names = laid(topology.SMALL), ("tweets-db-0-primary", "tweets-db-0-replica")
    assert [Database(lab.component(name), Roles(tmp_path / "roles.json")).role for name in names] == ["primary", "replica"]
    roles.assign(tmp_path / "roles.json", "tweets-db-0", names[1])
    assert [Database(lab.component(name), Roles(tmp_path / "roles.json")).role for name in names] == ["replica", "primary"]


def test_pressure_is_a_ratio_and_a_kernel_without_it_has_none(tmp_path: Path) -> None:
    (tmp_path / "cpu").write_text("some avg10=12.50 avg60=0.05 avg300=0.00 total=123\nfull avg10=1.00 avg60=0 avg300=0 total=1\n")
    (tmp_path / "memory").write_text("")
    readings = asyncio.run(Host(tmp_path, tmp_path).read())
    assert [(r.labels, r.value) for r in readings if r.metric is metrics.PRESSURE] == [(("cpu",), 0.125)]


def test_free_disk_space_is_of_the_file_system_that_holds_the_lab(tmp_path: Path) -> None:
    readings = asyncio.run(Host(tmp_path, tmp_path / "none").read())
    assert [r.metric for r in readings] == [metrics.DISK_FREE, metrics.CLOCK_STEP]
    assert readings[0].value > 0


def test_a_wall_clock_that_is_moved_is_a_step_and_time_that_passes_is_none(tmp_path: Path) -> None:
    walls, passed = iter((1000.0, 1010.0, 1025.0)), iter((0.0, 10.0, 20.0))
    host = Host(tmp_path, tmp_path, wall=lambda: next(walls), passed=lambda: next(passed))
    steps = [r.value for _ in range(2) for r in asyncio.run(host.read()) if r.metric is metrics.CLOCK_STEP]
    assert steps == [0, 5]


def test_the_disk_of_a_store_is_measured_where_its_data_is_and_a_missing_directory_has_none(tmp_path: Path) -> None:
    readings = asyncio.run(Host(tmp_path, tmp_path, stores={"users-db-0": tmp_path, "events-0": tmp_path / "gone"}).read())
    told = {r.labels: r.value for r in readings if r.metric is metrics.STORE_DISK_FREE_SHARE}
    assert list(told) == [("users-db-0",)]
    assert 0 < told["users-db-0",] <= 1
