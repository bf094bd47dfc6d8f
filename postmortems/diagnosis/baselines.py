"""What diagnosis has to beat: the component with the largest deviation, and the one with the most alerts. What a guess reaches is in `hits`. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from postmortems.diagnosis.model import Case
from postmortems.diagnosis.ranking import Evidence


def largest_deviation(case: Case, evidence: Evidence) -> dict[str, float]:
    """By the strongest signal of each component; ties in alphabetical order."""
    return _ordered({name: max((sign.strength for sign in evidence.signs[name]), default=0.0) for name in case.components})


def most_alerts(case: Case, alerts: Mapping[str, int]) -> dict[str, float]:
    """By the alerts that named each component; ties, those with none among them, in alphabetical order."""
    return _ordered({name: float(alerts.get(name, 0)) for name in case.components})


def _ordered(found: Mapping[str, float]) -> dict[str, float]:
    return dict(sorted(found.items(), key=lambda item: (-item[1], item[0])))
