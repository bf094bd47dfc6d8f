"""Faults that are changes, and a full disk, on real components: felt while in force, gone afterwards, and nothing that was acknowledged is lost."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from chaos import disks, undo
from chaos.faults import disk, rings
from chaos.faults.base import NotApplicableError
from chaos.faults.change import BadConfig, Restart
from chaos.faults.disk import DiskFull
from chaos.faults.families import AnyFault
from chaos.faults.rings import RingChange, SetRing
from chaos.session import Session
from reference_app.contract.topology import Lab
from reference_app.kit import deciders, lease
from reference_app.kit.home import Home
from reference_app.stack import agents, marks, program
from reference_app.stack.control import Control
from tests.conftest import Failwhale
from tests.stack.conftest import Api
from tests.stack.injecting import held, lapsed, taken_back
from tests.waiting import await_true

pytestmark = [pytest.mark.lab, pytest.mark.breaks]

SHARD, SERVICE, OTHER = "tweets-db-0-primary", "graph-0", "search-0"
BOTH = ("timeline-cache-0", "timeline-cache-1")
NEEDS_MOUNT = pytest.mark.skipif(bool(disks.why_not()), reason=disks.why_not())


@pytest.fixture
def run(lab: Lab, home: Home) -> Iterator[Session]:  # noqa: ARG001 - the lab runs
    with held(home) as session:
        yield session


def uptime_s(home: Home, component: str) -> float:
    return next(state.uptime_s or 0.0 for state in Control(home).states() if state.name == component)


@NEEDS_MOUNT
@pytest.mark.verify
def test_on_a_full_disk_commits_wait_and_what_was_acknowledged_is_there_when_it_is_put_right(run: Session, api: Api) -> None:
    author = api.user()
    undo.inject(run, disk.small_disk(SHARD, room_mib=24))
    posted = {key: api.post(author, key, "on a small disk") for key in ("before-1", "before-2")}
    full = DiskFull(SHARD)
    undo.inject(run, full)
    posted |= {f"full-{number}": api.post(author, f"full-{number}", "on a full disk " * 15) for number in range(24)}
    assert {answer.status_code for answer in posted.values()} == {201, 503}
    assert full.measured(run.home) == {"free_kib": 0.0, "statements_waiting": pytest.approx(1, abs=20)}
    undone = undo.replay(run.home, by="test")
    assert [result.error for result in undone] == ["", ""]
    assert not full.in_effect(run.home)
    assert not disks.mounted(run.home.data / SHARD)
    assert Control(run.home).unanswered() == {}
    acknowledged = [answer.json()["id"] for answer in posted.values() if answer.status_code == 201]
    await_true(lambda: all(api.call(author, "GET", f"/tweets/{tweet}").status_code == 200 for tweet in acknowledged), 15)


@pytest.mark.verify
@NEEDS_MOUNT
def test_after_a_restart_of_everything_a_full_disk_is_gone_and_what_was_acknowledged_is_not(
    run: Session, api: Api, failwhale: Failwhale
) -> None:
    author = api.user()
    undo.inject(run, disk.small_disk(SHARD, room_mib=24))
    tweets = [api.acknowledged(author, f"kept-{number}", "on a small disk") for number in range(6)]
    undo.inject(run, DiskFull(SHARD))
    marks.end(run.home.path, grace_s=0)
    lease.release(run.home.chaos)
    up = failwhale("up", timeout_s=150)
    assert up.returncode == 0, up.stderr
    assert "undid disk_full" in up.stderr
    assert not disks.mounted(run.home.data / SHARD)
    assert {api.call(author, "GET", f"/tweets/{tweet}").status_code for tweet in tweets} == {200}


@pytest.mark.verify
def test_a_deploy_with_a_wrong_time_limit_fails_statements_until_it_is_taken_back(run: Session, api: Api) -> None:
    deciders.write(run.home, "configuration_guard", deciders.OFF, by="test")
    fault = BadConfig(SERVICE, sql_timeout_ms=0.1)
    follower, followee = api.user(), api.user()
    undo.inject(run, fault)
    assert {api.call(follower, "PUT", f"/following/{followee.id}").status_code for _ in range(5)} == {503}
    assert fault.measured(run.home)["statements_given_up"] >= 1
    taken_back(run, fault)
    await_true(lambda: api.call(follower, "PUT", f"/following/{followee.id}").status_code == 204, 20)


@pytest.mark.verify
def test_a_service_that_refuses_its_configuration_stays_down_and_says_why_until_it_is_taken_back(run: Session) -> None:
    fault = BadConfig(SERVICE, sql_timeout_ms=0.1)
    undo.inject(run, fault)
    assert fault.in_effect(run.home)
    assert fault.measured(run.home) == {"processes": 0.0}
    assert next(state.state for state in Control(run.home).states() if state.name == SERVICE) == "stopped"
    assert "are units mixed up?" in program.log_file(run.home, SERVICE).read_text()
    taken_back(run, fault)
    assert Control(run.home).unanswered() == {}


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(Restart((SERVICE, OTHER), at_once=True), id="restart_at_once", marks=pytest.mark.verify),
        pytest.param(Restart((SERVICE, OTHER), pause_s=0.1), id="rolling_restart"),
    ],
)
def test_who_is_restarted_is_another_process_and_ready_afterwards(run: Session, fault: Restart) -> None:
    undo.inject(run, fault)
    await_true(lambda: fault.measured(run.home)["restarted"] == 2, 40)
    assert max(uptime_s(run.home, component) for component in fault.components) < 30
    taken_back(run, fault)


@pytest.mark.verify
def test_a_ring_changes_at_once_without_its_guard_and_goes_back(run: Session, home: Home) -> None:
    deciders.write(home, "ring_guard", deciders.OFF, by="test")
    fault = RingChange("timeline-cache", ("timeline-cache-0",), BOTH, BOTH)
    undo.inject(run, fault)
    await_true(lambda: fault.measured(home)["nodes"] == 1, 20)
    assert 0.3 < fault.measured(home)["keys_moved_share"] < 0.7
    taken_back(run, fault)


@pytest.mark.verify
def test_nodes_that_join_and_stay_are_no_fault_that_lapsed(run: Session, home: Home) -> None:
    deciders.write(home, "ring_guard", deciders.OFF, by="test")
    undo.inject(run, SetRing("timeline-cache", BOTH[:1], BOTH, BOTH), whole_run=True)
    fault = RingChange("timeline-cache", BOTH, BOTH[:1], BOTH)
    undo.inject(run, fault)
    await_true(lambda: not agents.running(home, fault.agent), 20)
    (undone,) = undo.replay(home, by="test", whole_run=False)
    assert undone.error == ""
    assert not lapsed(run)


@pytest.mark.parametrize("fault", [BadConfig(SERVICE, sham=True), Restart((SERVICE, OTHER), sham=True), RingChange("timeline-cache", BOTH[:1], BOTH, BOTH, sham=True)])  # fmt: skip
def test_a_sham_changes_nothing(run: Session, fault: AnyFault) -> None:
    before = uptime_s(run.home, SERVICE)
    undo.inject(run, fault)
    assert rings.wanted(run.home, "timeline-cache")[0] == BOTH
    taken_back(run, fault)
    assert uptime_s(run.home, SERVICE) >= before


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (disk.small_disk(SHARD, room_mib=1), "16 or more"),
        (disk.small_disk(SERVICE, room_mib=32), "no database"),
        (DiskFull(SHARD), "on no small disk"),
        (BadConfig("fanout-0"), "names no database"),
        (BadConfig(SERVICE, sql_timeout_ms=5000), "without the fault"),
        (Restart(()), "at least one"),
        (Restart((SERVICE,), pause_s=99), "between 0 and 30"),
        (RingChange("timeline-cache", BOTH, BOTH, BOTH), "nothing would change"),
        (RingChange("timeline-cache", ("tweet-cache-0",), BOTH, BOTH), "made of some of"),
    ],
)
def test_what_makes_no_sense_is_refused_before_anything_changes(run: Session, fault: AnyFault, said: str) -> None:
    with pytest.raises(NotApplicableError, match=said):
        undo.inject(run, fault)
    assert undo.pending(run.home) == []


def test_a_ring_that_is_not_there_is_told(lab: Lab, home: Home) -> None:  # noqa: ARG001 - the lab runs
    with pytest.raises(NotApplicableError, match="no ring 'fanout'"):
        rings.wanted(home, "fanout", remove=["fanout-0"])
