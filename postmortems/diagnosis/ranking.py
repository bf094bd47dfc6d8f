"""The ranking: suspicion of each component by itself and by the walk from the symptom, fused; and whether there is a cause at all."""

from __future__ import annotations

from dataclasses import dataclass

from postmortems.diagnosis import blaming, quiet, walking
from postmortems.diagnosis.blaming import Sign, Weights
from postmortems.diagnosis.model import Case, Ranked
from postmortems.diagnosis.wording import reasons_against, reasons_for

CHOSEN = Weights()
REACHED = 5.0
"""What it counts to be reached by the walk at all: all on the way is anomalous."""


@dataclass(frozen=True)
class Ranking:
    """`ranked` has every component, the most suspected first; `no_cause` when the normal period by itself shows as much."""

    ranked: tuple[Ranked, ...]
    no_cause: bool


@dataclass(frozen=True)
class Evidence:
    """What speaks for whom, before it is weighed: signs of every component, and the suspicion of those that the walk reached."""

    signs: dict[str, list[Sign]]
    by_walk: dict[str, float]


def evidence_of(case: Case) -> Evidence:
    """Of a case; that of one without a symptom has no walk."""
    case = walking.asked(case)
    return Evidence(blaming.signs(case), walking.walked(case, case.symptom) if case.symptom else {})


def weighed(case: Case, evidence: Evidence, weights: Weights) -> dict[str, float]:
    """Suspicion by component, the strongest first; ties in alphabetical order."""
    fused = {
        component: score + (weights.walk * (REACHED + evidence.by_walk[component]) if component in evidence.by_walk else 0.0)
        for component, score in blaming.blame(case, evidence.signs, weights).items()
    }
    return dict(sorted(fused.items(), key=lambda item: (-item[1], item[0])))


def scores(case: Case, weights: Weights = CHOSEN) -> dict[str, float]:
    """Suspicion of all that is known of a case."""
    return weighed(case, evidence_of(case), weights)


def rank(case: Case, weights: Weights = CHOSEN) -> Ranking:
    """All components with the evidence for and against each, in words."""
    case = walking.asked(case)
    found = evidence_of(case)
    ranked = tuple(
        Ranked(
            component,
            round(score, 3),
            reasons_for(case, component, found.signs, found.by_walk),
            reasons_against(case, component, found.signs, found.by_walk),
        )
        for component, score in weighed(case, found, weights).items()
    )
    return Ranking(ranked, no_cause=quiet.is_quiet(case, lambda one: scores(one, weights)))
