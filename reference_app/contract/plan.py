"""One clock for load and faults: `var/runs/<id>/plan.json`, written before either starts, read by both."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

FILE = "plan.json"


@dataclass(frozen=True)
class Phase:
    """A stretch of the drill in load seconds [start, end); `recorded` is False for the warm-up."""

    name: str
    start: float
    end: float
    recorded: bool = True


@dataclass(frozen=True)
class Plan:
    """`t0` is Unix seconds at load second 0; `inject_at` and `undo_at` are load seconds.

    `load` is the share of the preset's rates that is sent, None for what a lab of this topology is given. In a `sham` every step of the
    fault is taken and has no effect. `targets` says which components the expressions of the experiment mean in this run.
    """

    run_id: str
    drill: str
    seed: int
    topology: str
    preset: str
    t0: float
    phases: tuple[Phase, ...]
    inject: bool
    inject_at: float
    undo_at: float
    expected_verdict: str
    load: float | None = None
    sham: bool = False
    targets: dict[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def duration(self) -> float:
        """Seconds of load."""
        return self.phases[-1].end

    def phase(self, name: str) -> Phase:
        """The phase of that name."""
        return next(p for p in self.phases if p.name == name)

    def phase_at(self, load_second: float) -> Phase | None:
        """The phase of a load second, None outside of the load."""
        return next((p for p in self.phases if p.start <= load_second < p.end), None)


DRILL_SECONDS = {"warmup": 10, "baseline": 35, "ramp": 5, "before": 20, "fault": 40, "after": 30, "decay": 20}
"""Drill timeline: the plateau runs before, during and after the fault, so `before` has the same load as `fault`."""


def phases(seconds: dict[str, float] | None = None) -> tuple[Phase, ...]:
    """Phases laid end to end; `seconds` overrides the length of some of them."""
    unknown = set(seconds or {}) - set(DRILL_SECONDS)
    if unknown:
        raise ValueError(f"unknown phases {sorted(unknown)}; there are {', '.join(DRILL_SECONDS)}")
    if endless := [f"{name}={length:g}" for name, length in (seconds or {}).items() if not 0 <= length < math.inf]:
        raise ValueError(f"the length of a phase is 0 or more seconds, not {', '.join(endless)}")
    laid: list[Phase] = []
    for name, length in (DRILL_SECONDS | (seconds or {})).items():
        start = laid[-1].end if laid else 0.0
        laid.append(Phase(name, start, start + length, recorded=name != "warmup"))
    return tuple(laid)
