"""What an experiment would do is told before anything is done; what is missing here is missing for real: the tests drop root."""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any

import pytest
import redis
from asyncmy.errors import OperationalError

from chaos import firewall, preflight, targets
from chaos.faults import base, caches, databases
from chaos.faults.base import UnavailableError
from chaos.faults.families import AnyFault
from chaos.faults.network import Partition, Refuse
from chaos.faults.process import KillAndHold
from chaos.faults.resources import CpuQuota, MemoryLimit
from chaos.faults.toxics import Spoil
from chaos.proxy.toxics import Toxic
from reference_app.contract.topology import SMALL, Lab, components
from reference_app.kit import files
from reference_app.kit.home import Home
from tests.unprivileged import as_nobody


def meaning(target: str) -> tuple[str, ...]:
    return targets.resolve(target, components(SMALL, 1), seed=1)


def activity(func: str, module: str = "chaos.actions.faults", **arguments: Any) -> dict[str, Any]:
    return {"type": "action", "name": func, "provider": {"type": "python", "module": module, "func": func, "arguments": arguments}}


def planned(*activities: dict[str, Any]) -> list[preflight.Step]:
    return preflight.steps({"method": list(activities)}, meaning)


def test_the_faults_of_a_method_are_told_in_order_and_waiting_is_none() -> None:
    told = planned(
        activity("wait_until_injection", "chaos.actions.clock"), activity("pause", component="all:timeline-cache"),
        activity("latency", component="tweet-cache-0", latency_ms=50), activity("hold_fault", "chaos.actions.clock"),
    )  # fmt: skip
    assert [[(fault.kind, fault.components) for fault in step.faults] for step in told] == [
        [("pause", ("timeline-cache-0",)), ("pause", ("timeline-cache-1",))], [("latency", ("tweet-cache-0",))],
    ]  # fmt: skip


@pytest.mark.usefixtures("home")
def test_a_fault_that_is_made_from_what_its_component_is_then_cannot_be_told_while_the_lab_is_down() -> None:
    (step,) = planned(activity("few_descriptors", "chaos.actions.resources", component="gateway-0"))
    assert step.faults == ()
    assert "no lab" in step.untold


def test_an_action_of_another_extension_is_not_called() -> None:
    extension = ModuleType("an_extension")
    called: list[object] = []
    extension.act = lambda configuration=None: called.append(configuration)  # type: ignore[attr-defined]
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, extension.__name__, extension)
        assert planned(activity("act", extension.__name__)) == []
    assert called == []


@pytest.mark.parametrize(
    ("asked", "why"),
    [
        (activity("pause", komponent="gateway-0"), "unexpected keyword argument 'komponent'"),
        (activity("pause", component="${victim}"), "in the configuration of the experiment"),
    ],
)
def test_an_action_whose_arguments_are_not_known_is_told_as_such(asked: dict[str, Any], why: str) -> None:
    (step,) = planned(asked)
    assert why in step.untold


def test_a_module_that_is_not_there_is_left_to_the_rules() -> None:
    assert planned(activity("pause", "chaos.actions.fault")) == []


def test_an_argument_of_a_wrong_type_is_told(home: Home) -> None:
    step = preflight.Step("ration", (CpuQuota("events-0", percent=12.5),))  # type: ignore[arg-type]
    (told,) = preflight.refusals(home, [step])
    assert "cpu_quota has an argument of a wrong type" in told


def test_a_lab_that_is_down_refuses_and_nothing_is_applied(home: Home) -> None:
    with pytest.raises(Exception, match="no lab"):
        preflight.refusals(home, planned(activity("pause", component="gateway-0")))
    assert not (home.chaos / "undo").exists()


SILENT: dict[str, tuple[Exception, dict[str, Any]]] = {
    "lock_table": (TimeoutError(), activity("lock_table", "chaos.actions.stores", component="tweets-db-0-primary")),
    "slow_queries": (OperationalError(2003, "refused"), activity("slow_queries", "chaos.actions.stores", component="tweets-db-0-primary")),
    "starve_cache": (redis.ConnectionError("refused"), activity("starve_cache", "chaos.actions.stores", component="tweet-cache-0")),
}


@pytest.mark.parametrize(("error", "asked"), SILENT.values(), ids=SILENT.keys())
def test_a_store_that_runs_and_does_not_answer_is_told_and_ends_no_dry_run(
    home: Home, monkeypatch: pytest.MonkeyPatch, error: Exception, asked: dict[str, Any]
) -> None:
    files.write_json(home.lab_file, Lab(str(home.path), "small", 29_900, components(SMALL, 29_900), "key", "password"))

    def silent(*_: object) -> None:
        raise error

    monkeypatch.setattr(base, "state_of", lambda *_: "running")
    monkeypatch.setattr(databases, "answer", silent)
    monkeypatch.setattr(caches, "_limit_of", silent)
    (step,) = planned(asked)
    (told,) = [step.untold] if step.untold else preflight.refusals(home, [step])
    assert type(error).__name__ in told


NEEDS_ROOT: dict[str, AnyFault] = {
    "packet rules": Refuse("events-0"),
    "a partition": Partition(("tweets-0",), ("events-0",)),
    "the proxy's way": Spoil("events-0", toxics=(Toxic("latency"),)),
    "a ration of CPU": CpuQuota("events-0"),
    "a limit of memory": MemoryLimit("events-0"),
}


@pytest.mark.parametrize("fault", NEEDS_ROOT.values(), ids=NEEDS_ROOT.keys())
def test_without_root_what_needs_it_is_unavailable_and_says_what_is_missing(fault: AnyFault) -> None:
    told = as_nobody(fault.available)
    assert told.startswith("UnavailableError: ")
    assert "root" in told or "cgroup" in told or "nft is not installed" in told


def test_without_root_processes_can_still_be_killed() -> None:
    assert as_nobody(KillAndHold("events-0").available) == "None"


def test_without_nft_packet_rules_are_unavailable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.setattr(firewall, "SEARCHED", ())
    with pytest.raises(UnavailableError, match=r"apt-get install .* nftables"):
        preflight.require_available(planned(activity("refuse", component="events-0")))
