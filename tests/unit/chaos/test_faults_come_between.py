"""Faults and undos that somebody or something comes in between: they go on, or whoever takes the record up again finishes them."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from chaos import disks, firewall
from chaos.cgroups import Controller
from chaos.faults import base, change, databases, disk, network, process, toxics
from chaos.faults.base import NotApplicableError
from chaos.faults.change import BadConfig, Restart
from chaos.faults.databases import ReadOnly, StopReplica
from chaos.faults.disk import DiskFull
from chaos.faults.network import Partition
from chaos.faults.toxics import Spoil
from chaos.proxy.toxics import Attributes, Toxic
from reference_app.contract.topology import SMALL, Component, Lab, components
from reference_app.kit import files, roles
from reference_app.kit.home import Home
from reference_app.stack import marks
from reference_app.stack.errors import NotRunningError, StackError
from reference_app.stack.marks import Marked


def lay_out(home: Home) -> None:
    files.write_json(home.lab_file, Lab(str(home.path), "small", 29_900, components(SMALL, 29_900), "key", "password"))


class OfOneService:
    """A service that reads its configuration when it is started."""

    def __init__(self, home: Home, fault: BadConfig) -> None:
        self.file = home.configuration_file(fault.component)
        files.write_json(self.file, {})
        self.deployed = self.refuses = True

    def __call__(self, _home: Home) -> OfOneService:
        return self

    def stop(self, _component: str) -> None:
        if self.refuses:
            raise StackError("it did not stop within 10 s")
        self.deployed = False

    def bring_back(self, _home: Home, _component: str) -> None:
        self.deployed = self.deployed or self.file.exists()


def test_a_bad_deploy_whose_service_did_not_stop_is_still_in_force_and_taken_back_the_next_time(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    fault = BadConfig("tweets-0")
    service = OfOneService(home, fault)
    monkeypatch.setattr(change, "Control", service)
    monkeypatch.setattr(change, "bring_back", service.bring_back)
    with pytest.raises(StackError):
        fault.undo(home)
    assert fault.in_effect(home)
    service.refuses = False
    fault.undo(home)
    assert (service.deployed, fault.in_effect(home)) == (False, False)


def test_who_was_told_to_end_when_a_restart_is_taken_back_has_ended_before_he_is_looked_at(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    did: list[str] = []

    class Told:
        def __init__(self, _home: Home) -> None: ...

        def stop(self, component: str) -> None:
            did.append(f"stop {component}")

    monkeypatch.setattr(change, "Control", Told)
    monkeypatch.setattr(change, "bring_back", lambda _home, component: did.append(f"bring back {component}"))
    monkeypatch.setattr(change.agents, "end", lambda *_: None)
    files.write_json(change._done_file(home), {"users-0": 1.2, "graph-0": None})
    fault = Restart(("users-0", "graph-0", "search-0"))
    fault.undo(home)
    assert did == ["bring back users-0", "stop graph-0", "bring back graph-0", "bring back search-0"]
    assert fault.measured(home) == {"restarted": 1.0, "longest_s": 1.2}


class Refusing:
    """A supervisor whose service is to be seen a moment after its start, and has ended when it is looked at again."""

    def __init__(self, _home: Home) -> None:
        self.looks = iter([False, True, True, False])

    def __getattr__(self, did: str) -> Callable[[str], None]:
        return lambda component: DID.append(f"{did} {component}")

    def runs(self, _component: str) -> bool:
        return next(self.looks, False)


DID: list[str] = []


def test_a_service_that_refuses_its_configuration_is_held_down(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    DID.clear()
    monkeypatch.setattr(change, "Control", Refusing)
    monkeypatch.setattr(change, "POLL_SECONDS", 0.0)
    fault = BadConfig("tweets-0", sql_timeout_ms=0.1)
    fault.apply(home)
    assert DID == ["stop tweets-0", "start tweets-0", "stop tweets-0"]
    assert fault.in_effect(home)


def test_a_service_that_does_not_refuse_is_no_bad_deploy_that_was_refused(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(change, "Control", Refusing)
    monkeypatch.setattr(Refusing, "runs", lambda *_: True)
    monkeypatch.setattr(change, "READY_SECONDS", 0.0)
    with pytest.raises(StackError, match="did not refuse its configuration"):
        BadConfig("tweets-0", sql_timeout_ms=0.1).apply(home)


def test_a_fault_proxy_that_does_not_answer_is_ended_with_all_that_it_holds(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    lay_out(home)
    did: list[str] = []

    def silent(*_: object) -> None:
        raise httpx.ReadTimeout("it stands still")

    monkeypatch.setattr(toxics, "_ask", silent)
    monkeypatch.setattr(toxics.firewall, "empty", lambda *_: did.append("new connections go straight"))
    monkeypatch.setattr(toxics.firewall, "drop", lambda *_: did.append("no rules"))
    monkeypatch.setattr(toxics.agents, "running", lambda *_: True)
    monkeypatch.setattr(toxics.agents, "end", lambda *_: did.append("ended"))
    Spoil("tweets-0", toxics=(Toxic("latency", attributes=Attributes(latency=100)),)).undo(home)
    assert did == ["new connections go straight", "ended", "no rules"]


def test_a_crash_loop_goes_on_when_the_component_died_by_itself_just_before(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    kills: list[str] = []

    class Dying:
        def __init__(self, _home: Home) -> None:
            pass

        def kill(self, component: str) -> None:
            kills.append(component)
            raise NotRunningError(f"{component} does not run")

    def sleep(_seconds: float) -> None:
        if len(kills) == 3:
            raise KeyboardInterrupt

    monkeypatch.setattr(process, "Control", Dying)
    monkeypatch.setattr(process, "state_of", lambda *_: "running")
    monkeypatch.setattr(process.time, "sleep", sleep)
    with pytest.raises(KeyboardInterrupt):
        process._crash_again_and_again(home, "tweets-0", 1.0)


@pytest.fixture
def statements(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What databases are told to do."""
    told: list[str] = []

    async def answer(_component: Component, statement: str) -> list[tuple[Any, ...]]:
        told.append(statement)
        return []

    monkeypatch.setattr(databases, "answer", answer)
    return told


@pytest.mark.parametrize(("status", "told"), [({"Slave_SQL_Running": "No"}, ["START SLAVE"]), ({}, [])], ids=["a replica", "promoted"])
def test_replication_is_started_again_only_on_what_still_is_a_replica(
    home: Home, statements: list[str], monkeypatch: pytest.MonkeyPatch, status: dict[str, Any], told: list[str]
) -> None:
    async def replication(_component: Component) -> dict[str, Any]:
        return status

    lay_out(home)
    monkeypatch.setattr(databases, "_replication", replication)
    StopReplica("tweets-db-0-replica").undo(home)
    assert statements == told


@pytest.mark.parametrize(("primary", "told"), [("primary", ["SET GLOBAL read_only = OFF"]), ("replica", [])], ids=["a primary", "demoted"])
def test_what_was_demoted_meanwhile_stays_read_only(home: Home, statements: list[str], primary: str, told: list[str]) -> None:
    lay_out(home)
    roles.assign(home.roles_file, "tweets-db-0", f"tweets-db-0-{primary}")
    ReadOnly("tweets-db-0-primary").undo(home)
    assert statements == told


def make_possible(monkeypatch: pytest.MonkeyPatch, *, present: bool) -> None:
    """Partitions, in a lab whose processes all run; `present` is whether the rules of one are there."""
    monkeypatch.setattr(network, "_no_cgroups", lambda: "")
    monkeypatch.setattr(base, "state_of", lambda *_: "running")
    monkeypatch.setattr(firewall, "why_not", lambda: "")
    monkeypatch.setattr(firewall, "present", lambda _: present)


@pytest.mark.parametrize("side", ["callers", "callees"])
def test_a_partition_of_who_is_no_longer_what_his_name_tells_is_refused(home: Home, monkeypatch: pytest.MonkeyPatch, side: str) -> None:
    lay_out(home)
    make_possible(monkeypatch, present=False)
    partition = Partition(**({"callers": ("tweets-0",), "callees": ("events-0",)} | {side: ("tweets-db-0-primary",)}))
    partition.check(home)
    roles.assign(home.roles_file, "tweets-db-0", "tweets-db-0-replica")
    with pytest.raises(
        NotApplicableError, match=r"tweets-db-0-primary is the replica now, .*`failwhale shard promote tweets-db-0-primary`"
    ):
        partition.check(home)


@pytest.mark.parametrize(("inside", "in_effect"), [("17 18", True), ("18", False)], ids=["both callers", "one was restarted"])
def test_a_partition_is_in_effect_while_every_caller_is_inside_and_in_the_way_while_its_rules_are_there(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, inside: str, *, in_effect: bool
) -> None:
    lay_out(home)
    group = tmp_path / "failwhale-29900-partition"
    group.mkdir()
    (group / "cgroup.procs").write_text(inside)
    callers = {"tweets-0": 17, "users-0": 18}
    leaders = {name: Marked(pid, 1, pid, stopped=False, started=1, component=name) for name, pid in callers.items()}
    monkeypatch.setattr(network, "_tree", lambda: Controller(tmp_path, 2))
    monkeypatch.setattr(marks, "components", lambda _: leaders)
    make_possible(monkeypatch, present=True)
    partition = Partition(callers=tuple(callers), callees=("tweet-cache-0",))
    assert partition.in_effect(home) == in_effect
    with pytest.raises(NotApplicableError, match="partition of tweet-cache-0 is in force already: `failwhale chaos undo`"):
        partition.check(home)


def test_a_disk_that_cannot_be_filled_is_given_up_and_says_what_was_left(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    tries = iter(range(10))

    def no_room(*_: int) -> None:
        next(tries)
        raise OSError(errno.ENOSPC, "No space left on device")

    (home.data / "graph-db-0").mkdir(parents=True)
    monkeypatch.setattr(disk, "FILL_SECONDS", 0.0)
    monkeypatch.setattr(disks, "free", lambda _: 1 << 20)
    monkeypatch.setattr(os, "posix_fallocate", no_room)
    with pytest.raises(OSError, match="1020 KiB of the disk of graph-db-0 could not be taken: No space left"):
        DiskFull("graph-db-0").apply(home)
