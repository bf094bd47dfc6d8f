"""Is a lab as it was before a drill? What still differs, in sentences, from readings taken of it. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

WARMTH = 0.95
"""Of the hit rate before: caches that serve less are not warm yet."""
LAG_S = 1.0
"""Seconds that a replica may be behind; MariaDB counts them in whole ones."""


@dataclass(frozen=True)
class Burn:
    """The share of bad events of an objective over one window, and the share above which the window counts as burning."""

    slo: str
    window_s: int
    bad_share: float
    limit: float


@dataclass(frozen=True)
class Replica:
    """`lag_s` is None when the replica does not know how far behind it is."""

    component: str
    running: bool
    lag_s: float | None


@dataclass(frozen=True)
class Readings:
    """What was seen of a lab at one moment. `hit_rates` and `complete` are those of the pages that were just read, None when none were."""

    silent: Mapping[str, str] = field(default_factory=dict)
    in_force: tuple[str, ...] = ()
    alerts: tuple[str, ...] = ()
    queues: Mapping[str, float] = field(default_factory=dict)
    burns: tuple[Burn, ...] = ()
    replicas: tuple[Replica, ...] = ()
    not_semi_synchronous: tuple[str, ...] = ()
    hit_rates: Mapping[str, float] | None = None
    complete: float | None = None


def unmet(readings: Readings, *, before: Mapping[str, float]) -> list[str]:
    """What is not as it was, most telling first; empty when a drill may begin. `before` are the hit rates of the warm lab by cache."""
    return [*_components(readings), *_signals(readings), *_replicas(readings), *_warmth(readings, before)]


def _components(readings: Readings) -> Iterator[str]:
    for name, problem in readings.silent.items():
        yield f"{name} does not answer ({problem})"
    for fault in readings.in_force:
        yield f"the fault {fault} is still in force"


def _signals(readings: Readings) -> Iterator[str]:
    for alert in readings.alerts:
        yield f"the alert {alert} is not resolved"
    for queue, length in readings.queues.items():
        if length > 0:
            yield f"{length:g} are waiting in {queue}"
    for burn in readings.burns:
        if burn.bad_share > burn.limit:
            yield f"{burn.bad_share:.1%} of the last {burn.window_s} s are bad for {burn.slo}, which burns above {burn.limit:.1%}"


def _replicas(readings: Readings) -> Iterator[str]:
    for replica in readings.replicas:
        if not replica.running:
            yield f"{replica.component} does not replicate"
        elif replica.lag_s is None:
            yield f"{replica.component} does not know how far it is behind"
        elif replica.lag_s > LAG_S:
            yield f"{replica.component} is {replica.lag_s:g} s behind"
    for component in readings.not_semi_synchronous:
        yield f"{component} does not wait for its replica"


def _warmth(readings: Readings, before: Mapping[str, float]) -> Iterator[str]:
    if readings.complete is not None and readings.complete < 1:
        yield f"{readings.complete:.0%} of the home pages are complete"
    for cache, rate in (readings.hit_rates or {}).items():
        usual = before.get(cache)
        if usual is not None and rate < WARMTH * usual:
            yield f"the {cache} cache hits {rate:.1%}, before the first drill it was {usual:.1%}"
