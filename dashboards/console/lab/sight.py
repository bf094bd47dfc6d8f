"""Values: what the console knows of the lab at one moment. What is not known is None or absent, never 0."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from chaos.status import Active
from reference_app.contract.topology import Lab
from reference_app.kit.changes import Change
from reference_app.query.prometheus import ActiveAlert, Sample, Series
from reference_app.stack.control import State


@dataclass(frozen=True)
class Trouble:
    """Why there are no signals: `no-lab` was laid out here, the lab is `down`, or `dark`: it runs and its Prometheus does not answer."""

    kind: Literal["no-lab", "down", "dark"]
    message: str
    command: str


@dataclass(frozen=True)
class Signals:
    """What Prometheus tells. `state` and `spent` are of this moment, series are of the last five minutes (see lab.signals)."""

    state: list[Sample]
    levels: list[Series]
    requests: list[Series]
    latency: list[Series]
    caches: list[Series]
    outcomes: list[Series]
    alerts: list[ActiveAlert]
    burns: list[Series] = field(default_factory=list)
    spent: list[Sample] = field(default_factory=list)


@dataclass(frozen=True)
class Band:
    """A stretch in which a fault was in force; `end` is None while it still is. Unix seconds."""

    fault: str
    components: tuple[str, ...]
    start: float
    end: float | None


@dataclass(frozen=True)
class Setting:
    """A decider that differs from its default."""

    name: str
    value: int
    default: int
    meaning: str


@dataclass(frozen=True)
class Sight:
    """`processes` is known only while there are no signals: then it is all there is. `held` is the run that holds the lab."""

    at: float
    lab: Lab | None = None
    signals: Signals | None = None
    trouble: Trouble | None = None
    processes: Mapping[str, State] = field(default_factory=dict)
    active: tuple[Active, ...] = ()
    halted: str | None = None
    held: str | None = None
    bands: tuple[Band, ...] = ()
    changes: tuple[Change, ...] = ()
    settings: tuple[Setting, ...] = ()
