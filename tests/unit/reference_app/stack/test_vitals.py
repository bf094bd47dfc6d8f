from __future__ import annotations

import asyncio
from pathlib import Path

from reference_app.contract import metrics, topology
from reference_app.contract.topology import Lab
from reference_app.kit import roles
from reference_app.kit.roles import Roles
from reference_app.stack import vitals


def laid(layout: topology.Topology) -> Lab:
    return Lab("", layout.name, 20000, topology.components(layout, 20000), "", "")


def kinds(lab: Lab) -> dict[str, str]:
    return {c.name: type(vitals.of(c, lab)).__name__ for c in lab.components}


def test_each_component_tells_what_its_kind_knows() -> None:
    told = kinds(laid(topology.SMALL))
    assert told["tweets-db-0-primary"] == told["tweets-db-1-replica"] == "Member"
    assert told["timeline-cache-1"] == told["tweet-cache-0"] == "CacheUse"
    assert told["events-0"] == "StreamLag"
    assert told["gateway-0"] == told["users-db-0"] == told["prometheus"] == "Vitals"


def test_a_primary_without_replica_has_no_semi_sync_state() -> None:
    assert kinds(laid(topology.Topology("test", replicated=())))["tweets-db-0"] == "Vitals"


def test_every_database_of_the_standard_lab_is_a_pair_and_the_edge_has_nothing_to_tell() -> None:
    told = kinds(laid(topology.STANDARD))
    assert told["users-db-0-primary"] == told["users-db-0-replica"] == told["graph-db-1-primary"] == "Member"
    assert told["edge-0"] == "Vitals"


def test_a_member_of_a_pair_tells_what_the_role_has_to_tell_that_it_has_now(tmp_path: Path) -> None:
    lab, names = laid(topology.SMALL), ("tweets-db-0-primary", "tweets-db-0-replica")
    assert [vitals.Member(lab.component(name), Roles(tmp_path / "roles.json")).role for name in names] == ["primary", "replica"]
    roles.assign(tmp_path / "roles.json", "tweets-db-0", names[1])
    assert [vitals.Member(lab.component(name), Roles(tmp_path / "roles.json")).role for name in names] == ["replica", "primary"]


def test_pressure_is_a_ratio_and_a_kernel_without_it_has_none(tmp_path: Path) -> None:
    (tmp_path / "cpu").write_text("some avg10=12.50 avg60=0.05 avg300=0.00 total=123\nfull avg10=1.00 avg60=0 avg300=0 total=1\n")
    (tmp_path / "memory").write_text("")
    readings = asyncio.run(vitals.Host(tmp_path, tmp_path).read())
    assert [(r.labels, r.value) for r in readings if r.metric is metrics.PRESSURE] == [(("cpu",), 0.125)]


def test_free_disk_space_is_of_the_file_system_that_holds_the_lab(tmp_path: Path) -> None:
    readings = asyncio.run(vitals.Host(tmp_path, tmp_path / "none").read())
    assert [r.metric for r in readings] == [metrics.DISK_FREE]
    assert readings[0].value > 0
