"""Every fault on a real component: a client feels it while it is in force, and not afterwards. A new fault is a row more."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator

import pytest

from chaos import connections, events, firewall, undo
from chaos.faults.base import NotApplicableError
from chaos.faults.families import AnyFault
from chaos.faults.network import Blackhole, Loss, Partition, Refuse, SynDrop
from chaos.faults.process import CrashLoop, Kill, KillAndHold, Pause
from chaos.faults.toxics import AGENT, Spoil
from chaos.proxy.toxics import Attributes, Toxic
from chaos.session import Session
from reference_app.contract.topology import Lab
from reference_app.kit.home import Home
from reference_app.stack import agents, marks
from reference_app.stack.control import Control
from tests.stack.conftest import Api
from tests.stack.injecting import held, lapsed, taken_back
from tests.waiting import await_true

pytestmark = [pytest.mark.lab, pytest.mark.breaks]

TARGET = "tweet-cache-0"
PATIENCE_S = 0.4
NEEDS_RULES = pytest.mark.skipif(bool(firewall.why_not()), reason=firewall.why_not())


class Pinged:
    """A Redis as a client with a pool feels it: one connection from before, and new ones."""

    def __init__(self, port: int) -> None:
        self._port, self._old = port, socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S)

    def old(self) -> str:
        return _told(lambda: _ping(self._old))

    def new(self) -> str:
        return _told(self._dial_and_ping)

    def close(self) -> None:
        self._old.close()

    def _dial_and_ping(self) -> bytes:
        with socket.create_connection(("127.0.0.1", self._port), timeout=PATIENCE_S) as connection:
            return _ping(connection)


def _ping(connection: socket.socket) -> bytes:
    connection.sendall(b"PING\r\n")
    return connection.recv(100)


def _told(ask: Callable[[], bytes]) -> str:
    """`answered`, `slow` (over 100 ms), or how it failed."""
    started = time.monotonic()
    try:
        answer = ask()
    except TimeoutError:
        return "silent"
    except ConnectionRefusedError:
        return "refused"
    except ConnectionError:
        return "reset"
    if not answer:
        return "ended"
    return "slow" if time.monotonic() - started > 0.1 else "answered"


def latency(milliseconds: int) -> tuple[Toxic, ...]:
    return (Toxic("latency", attributes=Attributes(latency=milliseconds)),)


FELT = [
    pytest.param(KillAndHold(TARGET), {"ended", "reset"}, {"refused"}, id="kill_and_hold"),
    pytest.param(Kill(TARGET), {"ended", "reset"}, {"refused", "answered", "silent"}, id="kill"),
    pytest.param(CrashLoop(TARGET, every_s=0.5), {"ended", "reset"}, {"refused", "answered", "silent", "reset"}, id="crash_loop"),
    pytest.param(Pause(TARGET), {"silent"}, {"silent"}, id="pause"),
    pytest.param(Refuse(TARGET), {"reset"}, {"refused"}, id="refuse", marks=NEEDS_RULES),
    pytest.param(Blackhole(TARGET), {"silent"}, {"silent"}, id="blackhole", marks=NEEDS_RULES),
    pytest.param(Loss(TARGET, percent=99), {"silent"}, {"silent"}, id="loss", marks=NEEDS_RULES),
    pytest.param(SynDrop(TARGET), {"answered"}, {"silent"}, id="syn_drop", marks=NEEDS_RULES),
    pytest.param(Spoil(TARGET, toxics=latency(150)), {"reset"}, {"slow"}, id="latency", marks=NEEDS_RULES),
]


@pytest.fixture
def run(lab: Lab, home: Home) -> Iterator[Session]:  # noqa: ARG001 - the lab runs
    with held(home) as session:
        yield session


@pytest.fixture
def pinged(lab: Lab) -> Iterator[Pinged]:
    felt = Pinged(lab.component(TARGET).port)
    await_true(lambda: (felt.old(), felt.new()) == ("answered", "answered"))
    yield felt
    felt.close()


@pytest.mark.parametrize(("fault", "old", "new"), FELT)
def test_a_fault_is_felt_and_gone_when_it_is_undone(run: Session, pinged: Pinged, fault: AnyFault, old: set[str], new: set[str]) -> None:
    undo.inject(run, fault)
    await_true(lambda: pinged.old() in old)
    await_true(lambda: pinged.new() in new)
    taken_back(run, fault)
    await_true(lambda: pinged.new() == "answered", 5)


@NEEDS_RULES
def test_a_replica_keeps_the_connection_that_it_has_to_a_primary_that_is_slow_for_others(run: Session, lab: Lab, api: Api) -> None:
    """MariaDB's primary may hang when its replica leaves and comes back at once."""
    primary, replica = lab.shard("tweets-db-0")
    assert replica is not None

    def standing() -> set[int]:
        return set(connections.local_ports(marks.components(run.home.path)[replica.name].pid, {primary.port}))

    before, author = standing(), api.user()
    fault = Spoil(primary.name, toxics=latency(20))
    undo.inject(run, fault)
    for number in range(6):
        api.post(author, f"slow-{number}", "while it is slow")
    time.sleep(2)
    during = standing()
    taken_back(run, fault)
    assert len(before) == 1
    assert (during, standing()) == (before, before)


def test_a_fault_that_somebody_ended_before_it_was_taken_back_says_so(run: Session, pinged: Pinged) -> None:
    undo.inject(run, KillAndHold(TARGET))
    await_true(lambda: pinged.new() == "refused")
    Control(run.home).start(TARGET)
    await_true(lambda: pinged.new() == "answered")
    (undone,) = undo.replay(run.home, by="test")
    assert undone.error == ""
    assert lapsed(run)


@pytest.mark.parametrize("fault", [Blackhole(TARGET, sham=True), Spoil(TARGET, sham=True, toxics=latency(150)), Pause(TARGET, sham=True)])
@NEEDS_RULES
def test_a_sham_takes_every_step_and_is_not_felt(run: Session, pinged: Pinged, fault: AnyFault) -> None:
    undo.inject(run, fault)
    assert fault.in_effect(run.home) == (not isinstance(fault, Pause))
    await_true(lambda: {pinged.new(), pinged.new()} == {"answered"}, 5)
    undo.replay(run.home, by="test")
    assert not agents.running(run.home, AGENT)


@pytest.mark.parametrize("fault", [Blackhole(TARGET), Spoil(TARGET, toxics=latency(150))])
@NEEDS_RULES
def test_a_fault_that_is_in_force_is_not_applied_again_and_stays(run: Session, pinged: Pinged, fault: AnyFault) -> None:
    undo.inject(run, fault)
    with pytest.raises(NotApplicableError, match="in force already"):
        undo.inject(run, fault)
    assert fault.in_effect(run.home)
    taken_back(run, fault)
    await_true(lambda: pinged.new() == "answered", 5)


@NEEDS_RULES
def test_who_only_listens_hears_that_the_proxy_is_gone(run: Session, lab: Lab) -> None:
    undo.inject(run, Spoil(TARGET, toxics=latency(20)))
    with socket.create_connection(("127.0.0.1", lab.component(TARGET).port), timeout=2) as listening:
        assert _ping(listening) == b"+PONG\r\n"
        undo.replay(run.home, by="test")
        assert _told(lambda: listening.recv(100)) in {"ended", "reset"}


@NEEDS_RULES
def test_what_a_fault_did_is_recorded_with_its_undo(run: Session, pinged: Pinged) -> None:
    undo.inject(run, Spoil(TARGET, toxics=latency(120)))
    for _ in range(3):
        await_true(lambda: pinged.new() == "slow")
    undo.replay(run.home, by="test")
    undone = events.last(events.read(run.run_dir), "undone")
    assert undone is not None
    assert undone.detail["measured"]["connections"] >= 3
    assert 115 < undone.detail["measured"]["delay_mean_ms"] < 140


@NEEDS_RULES
def test_a_partition_cuts_the_callers_off_and_nobody_else(run: Session, api: Api, pinged: Pinged) -> None:
    partition = Partition(callers=("tweets-0",), callees=(TARGET,))
    if reason := why_not(partition, run.home):
        pytest.skip(reason)
    author = api.user()
    tweet = api.acknowledged(author, "partition", "from both sides")
    undo.inject(run, partition)
    assert partition.in_effect(run.home)
    await_true(lambda: (pinged.old(), pinged.new()) == ("answered", "answered"), what="the test is no caller")
    await_true(lambda: api.call(author, "GET", f"/tweets/{tweet}").status_code == 200 and partition.measured(run.home)["packets"] > 0)
    undo.replay(run.home, by="test")
    assert not partition.in_effect(run.home)


def why_not(fault: AnyFault, home: Home) -> str:
    try:
        fault.check(home)
    except NotApplicableError as error:
        return str(error)
    return ""


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (Loss(TARGET, percent=0), "between 1 and 99"),
        (CrashLoop(TARGET, every_s=0.1), "nothing lives to crash"),
        (Spoil(TARGET), "at least one toxic"),
        (Spoil(TARGET, toxics=(Toxic("latency", attributes=Attributes(rate=3)),)), "has no rate"),
        (Pause("tweet-cache-9"), "no component 'tweet-cache-9'; this lab has"),
    ],
)
def test_what_makes_no_sense_is_refused_before_anything_changes(run: Session, fault: AnyFault, said: str) -> None:
    with pytest.raises(NotApplicableError, match=said):
        undo.inject(run, fault)
    assert undo.pending(run.home) == []


@NEEDS_RULES
def test_without_nft_a_packet_fault_says_what_is_missing(run: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(firewall, "SEARCHED", ())
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(NotApplicableError, match="nft is not installed"):
        undo.inject(run, Blackhole(TARGET))
