"""The ranking: suspicion of each component by itself and by the walk from the symptom, fused; and whether there is a cause at all."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from postmortems.diagnosis import blaming, scoring, walking
from postmortems.diagnosis.blaming import Weights
from postmortems.diagnosis.model import Case, Ranked, Series
from postmortems.diagnosis.wording import reasons_against, reasons_for

CHOSEN = Weights()
REACHED = 5.0
"""What it counts to be reached by the walk at all: all on the way is anomalous."""
QUIET_BLOCKS = 4


@dataclass(frozen=True)
class Ranking:
    """`ranked` has every component, the most suspected first; `no_cause` when the normal period by itself shows as much."""

    ranked: tuple[Ranked, ...]
    no_cause: bool


def scores(case: Case, weights: Weights = CHOSEN) -> dict[str, float]:
    """Suspicion by component, the strongest first; ties in alphabetical order."""
    by_itself = blaming.blame(case, blaming.signs(case), weights)
    by_walk = walking.walked(case, case.symptom) if case.symptom else {}
    fused = {
        component: score + (weights.walk * (REACHED + by_walk[component]) if component in by_walk else 0.0)
        for component, score in by_itself.items()
    }
    return dict(sorted(fused.items(), key=lambda item: (-item[1], item[0])))


def rank(case: Case, weights: Weights = CHOSEN) -> Ranking:
    """All components with the evidence for and against each, in words."""
    found, signs = scores(case, weights), blaming.signs(case)
    by_walk = walking.walked(case, case.symptom) if case.symptom else {}
    ranked = tuple(
        Ranked(component, round(score, 3), reasons_for(case, component, signs, by_walk), reasons_against(case, component, signs, by_walk))
        for component, score in found.items()
    )
    return Ranking(ranked, no_cause=_is_quiet(case, weights))


def _is_quiet(case: Case, weights: Weights) -> bool:
    """True when nothing went further than noise does, or when a part of the normal period, taken for the anomalous one, makes somebody as suspected."""
    plain = dataclasses.replace(case, symptom=None)
    strongest = _strongest(plain, weights)
    return strongest < scoring.strength(walking.ANOMALOUS) or strongest <= max(_strongest(quiet, weights) for quiet in _quiet_cases(plain))


def _strongest(case: Case, weights: Weights) -> float:
    return max(scores(case, weights).values(), default=0.0)


def _quiet_cases(case: Case) -> Iterator[Case]:
    for block in range(QUIET_BLOCKS):
        yield dataclasses.replace(case, series=tuple(_without(series, block) for series in case.series))


def _without(series: Series, block: int) -> Series:
    parts = np.array_split(series.normal, QUIET_BLOCKS)
    rest = np.concatenate([part for number, part in enumerate(parts) if number != block])
    return dataclasses.replace(series, normal=rest, anomalous=parts[block])
