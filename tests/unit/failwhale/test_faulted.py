"""From what callers saw to what a result says of each fault, and to the verdict; the planted fault is one of a component that nobody calls."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import pytest

from chaos import effect, verdict
from chaos.effect import Affected
from chaos.injections import Injection
from failwhale import faulted
from tests.unit.chaos.test_effect import CACHE, LAB, LATENCY, WITHIN, Samples, calls, injection
from tests.unit.chaos.test_verdict import PLAN, SOUND

BUSY = Samples(*calls(CACHE, "ok", 1000, 2000, quick=(990, 500)))


def judged(*applied: Injection) -> tuple[str, tuple[str, ...]]:
    affected = [effect.affected(BUSY, LAB, each, WITHIN, users=tuple) for each in applied]
    told = faulted.told(PLAN, applied, affected)
    judgement = verdict.judge(replace(SOUND, affected_operations=faulted.by_kind(told)))
    return judgement.verdict, judgement.reasons


def latency(component: str) -> Injection:
    return injection("latency", component, measured={"delayed": 500.0}, **LATENCY)


def test_a_grey_fault_that_reached_traffic_passes_and_says_how_much() -> None:
    assert judged(latency(CACHE)) == ("passed", (verdict.judge(SOUND).reasons[0], "The fault latency affected 1480 operations."))


def test_a_fault_of_a_component_without_traffic_is_inconclusive() -> None:
    reached, reasons = judged(latency("search-0"))
    assert reached == "inconclusive"
    assert "The fault latency affected 0 operations, fewer than 20: no harm proves nothing." in reasons


def test_of_a_group_one_member_may_have_nothing_to_do() -> None:
    assert judged(latency(CACHE), latency("search-0"))[0] == "passed"


def test_of_two_kinds_of_faults_each_has_to_reach_traffic() -> None:
    reached, reasons = judged(latency(CACHE), injection("pause", "search-0"))
    assert reached == "inconclusive"
    assert any("The fault pause affected 0 operations" in reason for reason in reasons)


@pytest.mark.parametrize(("affected", "reached"), [([Affected(failed=19)], False), ([Affected(failed=20)], True), (None, None)])
def test_each_fault_of_a_result_says_whether_it_reached_traffic(affected: Iterable[Affected] | None, reached: bool | None) -> None:  # noqa: FBT001
    (fault,) = faulted.told(PLAN, [latency(CACHE)], affected)  # type: ignore[arg-type]
    assert fault.reached_traffic is reached
    assert (fault.measured["duration_s"], fault.measured["delayed"]) == (40.0, 500.0)
    assert fault.injected_at == "1970-01-01T00:01:40.000Z"
