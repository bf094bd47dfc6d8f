"""What a drill would do, as `failwhale drill NAME --dry-run` finds it and its JSON tells it: whom it hits, with what, under which load, and what it expects."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from chaos.catalogue import ExpectedAlert, Hypothesis, Safety
from chaos.ownership import Share

SCHEMA = "failwhale/dry-run/v1"


@dataclass(frozen=True)
class PlannedFault:
    """`undo` is the record that would be on disk before it is applied: whoever executes it takes the fault back."""

    step: str
    kind: str
    components: tuple[str, ...]
    engine: str
    undo: dict[str, Any]


@dataclass(frozen=True)
class PlannedPhase:
    """In load seconds, with its mean rates."""

    name: str
    start: float
    end: float
    reads_per_s: float
    posts_per_s: float


@dataclass(frozen=True)
class Reach:
    """`predicted` is the share of home pages that will lack something, as the file says; `owned` the share that belongs to the targets."""

    predicted: float
    owned: float
    targets: tuple[Share, ...]


@dataclass(frozen=True)
class Outlook:
    """`reasons` say why it would not be run here and now; `remarks` what the lab of now would refuse, or cannot tell before it is up."""

    drill: str
    title: str
    topology: str
    possible: bool
    reasons: tuple[str, ...]
    remarks: tuple[str, ...]
    sham: bool
    expected_verdict: str
    targets: dict[str, tuple[str, ...]]
    blast_radius: Reach
    faults: tuple[PlannedFault, ...]
    deciders: dict[str, int]
    preset: str
    load: float
    phases: tuple[PlannedPhase, ...]
    expected_alerts: tuple[ExpectedAlert, ...]
    tolerated_alerts: tuple[ExpectedAlert, ...]
    hypothesis: Hypothesis
    safety: Safety
    schema: str = SCHEMA
