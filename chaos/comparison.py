"""Two runs side by side, phase by phase, and whether a drill kept its steady state: within 10 % of its sham twin. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from loadgen.report import PhaseReport

TOLERANCE = 0.10
"""Steady state is within this share of the sham twin with the same seed."""
STEADY = {"good_pages_per_s": "good home pages a second", "deliveries_per_s": "deliveries a second"}
"""Figures that make the steady state."""
BEFORE, JUDGED = "before", {"fault": "During the fault", "after": "After it"}


@dataclass(frozen=True)
class LoadSeen:
    """The part of a result's load that is compared."""

    valid: bool
    phases: dict[str, PhaseReport] = field(default_factory=dict)


@dataclass(frozen=True)
class Seen:
    """The part of a drill's result that is compared. `deliveries` are followers that fan-out served, by phase."""

    run_id: str
    drill: str
    seed: int
    topology: str
    sham: bool = False
    machine: str | None = None
    load: LoadSeen | None = None
    deliveries: dict[str, float] | None = None

    @property
    def phases(self) -> dict[str, PhaseReport]:
        """Those that were measured; none of a load that is invalid."""
        known = self.load.phases if self.load and self.load.valid else {}
        return {name: phase for name, phase in known.items() if phase.recorded and phase.end > phase.start}


class Row(NamedTuple):
    """A figure of one phase in both runs. `change` is of the second against the first; what one run does not know is None."""

    phase: str
    figure: str
    first: float | None
    second: float | None
    change: float | None
    beyond: bool | None


def compare(first: Seen, second: Seen) -> list[Row]:
    """Every figure of every phase that both runs measured."""
    shared = [name for name in first.phases if name in second.phases]
    return [row for name in shared for row in _rows(name, _figures(first, name), _figures(second, name))]


def why_no_twins(drill: Seen, twin: Seen) -> str:
    """What keeps the second run from being the sham twin of the first, in words; empty when nothing does."""
    different = [name for name in ("drill", "seed", "topology", "machine") if getattr(drill, name) != getattr(twin, name)]
    if drill.sham or not twin.sham:
        return "one has to be a drill and the other a sham"
    if different:
        return f"they differ in {', '.join(different)}"
    lengths = [{name: (phase.start, phase.end) for name, phase in seen.phases.items()} for seen in (drill, twin)]
    return "" if lengths[0] and lengths[0] == lengths[1] else "their phases differ, or the load of one is invalid"


def steadiness(drill: Seen, twin: Seen) -> Iterator[str]:
    """Sentences: was the drill's service in and after the fault within the tolerance of its twin's? Nothing is said when it was not before."""
    rows = [row for row in compare(twin, drill) if row.figure in STEADY and row.change is not None]
    if differing := [row for row in rows if row.phase == BEFORE and row.beyond]:
        yield f"The sham twin {twin.run_id} is none to compare with: before the fault there were {_told(differing)} beside it."
        return
    for phase, when in JUDGED.items():
        if seen := [row for row in rows if row.phase == phase]:
            verdict = "not steady" if any(row.beyond for row in seen) else "steady"
            yield f"{when} the lab was {verdict}: {_told(seen)} beside the sham twin {twin.run_id}, where {TOLERANCE:.0%} are allowed."


def _told(rows: Iterable[Row]) -> str:
    return " and ".join(f"{row.second:.1f} {STEADY[row.figure]} ({row.change:+.1%})" for row in rows)


def _rows(phase: str, first: dict[str, float | None], second: dict[str, float | None]) -> Iterator[Row]:
    for figure, before in first.items():
        after = second[figure]
        change = None if not before or after is None else after / before - 1
        yield Row(phase, figure, before, after, change, None if change is None else abs(change) > TOLERANCE)


def _figures(seen: Seen, name: str) -> dict[str, float | None]:
    phase = seen.phases[name]
    seconds, pages = phase.end - phase.start, phase.pages_complete + phase.pages_partial
    delivered = (seen.deliveries or {}).get(name)
    return {
        "good_pages_per_s": phase.pages_complete / seconds,
        "deliveries_per_s": None if delivered is None else delivered / seconds,
        "completeness": phase.pages_complete / pages if pages else None,
        "home_p50_ms": phase.home.latency_ms.p50,
        "home_p99_ms": phase.home.latency_ms.p99,
        "post_p99_ms": phase.post.latency_ms.p99,
    }
