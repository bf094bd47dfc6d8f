"""Faults and undos that somebody or something comes in between: they go on, or whoever takes the record up again finishes them."""

from __future__ import annotations

from collections.abc import Callable

import httpx
import pytest

from chaos.faults import change, process, toxics
from chaos.faults.change import BadConfig
from chaos.faults.toxics import Spoil
from chaos.proxy.toxics import Attributes, Toxic
from reference_app.contract.topology import SMALL, Lab, components
from reference_app.kit import files
from reference_app.kit.home import Home
from reference_app.stack.errors import NotRunningError, StackError


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
    files.write_json(home.lab_file, Lab(str(home.path), "small", 29_900, components(SMALL, 29_900), "key", "password"))
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
