"""Two runs beside each other, and when a drill counts as steady beside its sham twin."""

from __future__ import annotations

from dataclasses import replace

import pytest

from chaos import comparison
from chaos.comparison import LoadSeen, Seen
from loadgen.latency import Latency
from loadgen.report import Count, PhaseReport


def phase(start: float, pages: int, *, partial: int = 0, p99: float | None = 80.0) -> PhaseReport:
    home = Count(pages + partial, pages + partial, 0, 0, Latency(p50=10.0, p99=p99, p999=p99))
    return PhaseReport(start, start + 40, True, home, home, Count(), Count(), pages, partial, 0, 0)


def seen(pages: int = 4000, *, sham: bool = False, partial: int = 0, deliveries: float | None = 8000.0, p99: float | None = 80.0) -> Seen:
    phases = {"before": phase(0, 4000), "fault": phase(40, pages, partial=partial, p99=p99), "after": phase(80, 4000)}
    known = None if deliveries is None else {"before": 8000.0, "fault": deliveries, "after": 8000.0}
    return Seen("sham-run" if sham else "drill-run", "kill-gateway", 1, "small", sham, "2 x CPU", LoadSeen(True, phases), known)


TWIN = seen(sham=True)


def test_what_the_fault_changed_is_given_by_phase_and_marked_beyond_a_tenth() -> None:
    rows = {(row.phase, row.figure): row for row in comparison.compare(TWIN, seen(3000, partial=1000, p99=84.0))}
    goodput, latency = rows["fault", "good_pages_per_s"], rows["fault", "home_p99_ms"]
    assert (goodput.first, goodput.second, goodput.change, goodput.beyond) == (100.0, 75.0, -0.25, True)
    assert rows["fault", "completeness"].second == 0.75
    assert latency.change == pytest.approx(0.05)
    assert latency.beyond is False
    assert rows["before", "good_pages_per_s"].change == 0


def test_what_one_run_does_not_know_is_unknown_and_not_equal() -> None:
    rows = {(row.phase, row.figure): row for row in comparison.compare(TWIN, seen(deliveries=None, p99=None))}
    assert rows["fault", "deliveries_per_s"][3:] == (None, None, None)
    assert rows["fault", "home_p99_ms"].beyond is None


@pytest.mark.parametrize(
    ("pages", "deliveries", "word"), [(3700, 7400.0, "steady"), (3500, 8000.0, "not steady"), (4000, 7000.0, "not steady")]
)
def test_steady_is_within_a_tenth_of_the_twin_in_pages_and_in_deliveries(pages: int, deliveries: float, word: str) -> None:
    during, after = comparison.steadiness(seen(pages, deliveries=deliveries), TWIN)
    assert during.startswith(f"During the fault the lab was {word}: ")
    assert "sham-run" in during
    assert after.startswith("After it the lab was steady: 100.0 good home pages a second (+0.0%) and 200.0 deliveries a second (+0.0%)")


def test_a_twin_that_was_another_before_the_fault_is_none_to_compare_with() -> None:
    (told,) = comparison.steadiness(seen(), replace(TWIN, deliveries={"before": 4000.0, "fault": 8000.0, "after": 8000.0}))
    assert (
        told == "The sham twin sham-run is none to compare with: before the fault there were 200.0 deliveries a second (+100.0%) beside it."
    )


@pytest.mark.parametrize(
    ("other", "why"),
    [
        (replace(TWIN, sham=False), "one has to be a drill"),
        (replace(TWIN, seed=2), "they differ in seed"),
        (replace(TWIN, topology="standard", machine="4 x CPU"), "they differ in topology, machine"),
        (replace(TWIN, load=LoadSeen(False, TWIN.phases)), "their phases differ, or the load of one is invalid"),
        (replace(TWIN, load=LoadSeen(True, {"fault": phase(0, 9)})), "their phases differ"),
    ],
)
def test_a_run_of_other_conditions_is_no_twin(other: Seen, why: str) -> None:
    assert comparison.why_no_twins(seen(), TWIN) == ""
    assert why in comparison.why_no_twins(seen(), other)
