"""The toolkit's journal, as far as a verdict needs it. It is written once, at the end: a run that was killed has none."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import msgspec

FILE = "chaos/journal.json"
"""Below the run directory."""


class Activity(msgspec.Struct, frozen=True):
    """What the experiment file says of an activity."""

    name: str
    type: str


class Step(msgspec.Struct, frozen=True):
    """One executed activity. An action that failed leaves the run `completed`: look here. One that was under way at an interrupt has no status."""

    activity: Activity
    status: str = "interrupted"
    output: Any = None
    tolerance_met: bool | None = None
    exception: list[str] = msgspec.field(default_factory=list)

    @property
    def failure(self) -> str:
        """The last line of its exception, empty when it succeeded."""
        return "" if self.status == "succeeded" else f"{self.activity.name}: {''.join(self.exception[-1:]).strip() or self.status}"


class SteadyState(msgspec.Struct, frozen=True):
    """`steady_state_met` is None when no hypothesis was evaluated."""

    steady_state_met: bool | None = None
    probes: list[Step] = msgspec.field(default_factory=list)


class SteadyStates(msgspec.Struct, frozen=True):
    """`during` has an entry for each look of the strategy `continuously`; the toolkit does not call it a deviation when one of them failed."""

    before: SteadyState | None = None
    after: SteadyState | None = None
    during: list[SteadyState] = msgspec.field(default_factory=list)

    @property
    def missed(self) -> tuple[str, ...]:
        """When the steady state was evaluated and not met: `before`, `during`, `after`."""
        looks = [("before", self.before), *(("during", state) for state in self.during), ("after", self.after)]
        return tuple(dict.fromkeys(when for when, state in looks if state is not None and state.steady_state_met is False))


class Journal(msgspec.Struct, frozen=True):
    """`deviated` covers the hypothesis after the method only."""

    status: Literal["completed", "failed", "aborted", "interrupted"]
    deviated: bool
    steady_states: SteadyStates = SteadyStates()
    run: list[Step] = msgspec.field(default_factory=list)
    rollbacks: list[Step] = msgspec.field(default_factory=list)

    @property
    def failures(self) -> tuple[str, ...]:
        """Activities of the method that failed, in words."""
        return tuple(step.failure for step in self.run if step.failure)

    @property
    def rollback_failures(self) -> tuple[str, ...]:
        """The same of the rollbacks; the toolkit goes on with the next one, and calls the run completed."""
        return tuple(step.failure for step in self.rollbacks if step.failure)


def path(run_dir: Path) -> Path:
    """Where the toolkit is told to write it."""
    return run_dir / FILE


def read(run_dir: Path) -> Journal | None:
    """The journal of a run, None when the toolkit did not live to write it, or not to the end."""
    try:
        return msgspec.json.decode(path(run_dir).read_bytes(), type=Journal)
    except (FileNotFoundError, msgspec.DecodeError):
        return None
