"""What diagnosis has to beat: the component with the largest deviation, and the one with the most alerts. What a guess reaches is in `hits`. Pure."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from postmortems.diagnosis import hits, ranking
from postmortems.diagnosis.model import Case, Suspect
from postmortems.diagnosis.ranking import Evidence

SHOWN = 5


class Baselines(msgspec.Struct, frozen=True):
    """What knows less would have said. The chances are those of a guess at one component; `most_alerts` is None where nobody knows the alerts."""

    chance_top1: float
    chance_top3: float
    largest_deviation: tuple[Suspect, ...]
    most_alerts: tuple[Suspect, ...] | None


def beside(case: Case, alerts: Mapping[str, int] | None) -> Baselines:
    """Those of a case; `alerts` counts them by component."""
    one, three = (round(hits.guess(len(case.components), 1, k), 4) for k in (1, 3))
    counted = None if alerts is None else _first(most_alerts(case, alerts))
    return Baselines(one, three, _first(largest_deviation(case, ranking.evidence_of(case))), counted)


def largest_deviation(case: Case, evidence: Evidence) -> dict[str, float]:
    """By the strongest signal of each component; ties in alphabetical order."""
    return _ordered({name: max((sign.strength for sign in evidence.signs[name]), default=0.0) for name in case.components})


def most_alerts(case: Case, alerts: Mapping[str, int]) -> dict[str, float]:
    """By the alerts that named each component; ties, those with none among them, in alphabetical order."""
    return _ordered({name: float(alerts.get(name, 0)) for name in case.components})


def _ordered(found: Mapping[str, float]) -> dict[str, float]:
    return dict(sorted(found.items(), key=lambda item: (-item[1], item[0])))


def _first(found: Mapping[str, float]) -> tuple[Suspect, ...]:
    return tuple(Suspect(name, round(score, 3)) for name, score in found.items() if score)[:SHOWN]
