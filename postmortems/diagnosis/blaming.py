"""What speaks against a component by itself: its own signals, and how its callers saw it, less what those that it calls explain."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from postmortems.diagnosis.model import WORSE, Case, Family, Series
from postmortems.diagnosis.scoring import deviations, strength
from postmortems.diagnosis.walking import callees_of

LEAST = 0.05
"""A change of less than this share of the median is one deviation at most."""
LEAST_SHARE = 0.01


@dataclass(frozen=True)
class Weights:
    """How much a kind of evidence counts against another; chosen by leaving one kind of fault out at a time (`evaluating.py`)."""

    resource: float = 0.8
    traffic: float = 0.4
    explained: float = 0.3
    walk: float = 1.0


@dataclass(frozen=True)
class Sign:
    """A signal and how far it went from its normal."""

    series: Series
    deviations: float

    @property
    def strength(self) -> float:
        return strength(self.deviations)


def signs(case: Case) -> dict[str, list[Sign]]:
    """By component, the strongest first; signals that did not move are left out. What was called, but by whom is not said, blames nobody."""
    found: dict[str, list[Sign]] = {component: [] for component in case.components}
    for series in case.series:
        if series.outgoing:
            continue
        moved = deviations(series.normal, series.anomalous, least=LEAST_SHARE if series.is_share else LEAST, share=series.is_share)
        better = WORSE[series.family] * moved < 0
        if moved and not (better and (series.caller or series.family == "errors")):
            found[series.component].append(Sign(series, moved))
    return {component: sorted(its, key=lambda sign: (-sign.strength, sign.series.name)) for component, its in found.items()}


def blame(case: Case, found: dict[str, list[Sign]], weights: Weights) -> dict[str, float]:
    """Suspicion of every component: how it treated its callers, as far as those it calls do not explain it, or what it uses and does."""
    callees = callees_of(case.calls)
    return {
        component: _suspicion(
            its, max((_explains(found.get(callee, ()), component) for callee in callees[component]), default=0.0), weights
        )
        for component, its in found.items()
    }


def _explains(its: Iterable[Sign], caller: str) -> float:
    """How bad somebody is for a caller: how others fared with it is no excuse, and that it is called more may be the consequence."""
    return max((sign.strength for sign in its if sign.series.caller in ("", caller) and sign.series.family != "traffic"), default=0.0)


def _suspicion(its: list[Sign], below: float, weights: Weights) -> float:
    def strongest(*families: Family) -> float:
        return max((sign.strength for sign in its if sign.series.family in families), default=0.0)

    harm = strongest("latency", "errors", "availability") - weights.explained * below
    return max(harm, weights.resource * strongest("resource"), weights.traffic * strongest("traffic"))
