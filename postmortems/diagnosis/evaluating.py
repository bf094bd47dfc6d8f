"""How good diagnosis is on cases whose truth is known: with weights chosen on other kinds of faults than the one that is judged, beside the fixed weights
and the baselines. Pure.

A weight that was chosen on a fault says nothing about that fault, so a case is judged by the weights that did best on all cases of *other* kinds.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field

from postmortems.diagnosis import baselines, hits, judging, ranking
from postmortems.diagnosis.blaming import Weights
from postmortems.diagnosis.hits import Hits
from postmortems.diagnosis.model import Case, Diagnosed, Suspect
from postmortems.diagnosis.ranking import CHOSEN, Evidence, Ranking

GRID = tuple(itertools.starmap(Weights, itertools.product((0.5, 0.8), (0.2, 0.4), (0.1, 0.3, 0.5), (0.5, 1.0))))
LEFT_OUT, FIXED, LIVENESS, LARGEST, ALERTS = (
    "weights chosen on other kinds of faults", "fixed weights", "fixed weights, who was seen dead or hung among the evidence",
    "largest deviation (baseline)", "most alerts (baseline)",
)  # fmt: skip
"""Methods. All but the baselines may say that there is no cause, which is a miss where there was a fault."""


@dataclass(frozen=True, eq=False)
class Known:
    """A case and who was hit by which kinds of faults. `lively` is the same with liveness among its signals, `alerts` counts those by component."""

    case: Case
    hit: frozenset[str]
    kinds: frozenset[str]
    lively: Case | None = None
    alerts: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Judged:
    """A method and what it reached."""

    method: str
    hits: Hits


def evaluate(cases: Sequence[Known]) -> tuple[Judged, ...]:
    """Every method on the same cases."""
    return by_sort(cases, frozenset())["all"]


def by_sort(cases: Sequence[Known], crashes: Collection[str]) -> dict[str, tuple[Judged, ...]]:
    """Every method on all cases, on those of crashes and on those of grey faults."""
    placed = _placed_by_all(cases)
    crash = [at for at, one in enumerate(cases) if one.kinds & set(crashes)]
    grey = [at for at in range(len(cases)) if at not in crash]
    sorts = {"all": range(len(cases)), "crash": crash, "grey": grey}
    return {
        sort: tuple(Judged(method, hits.count(its[at] for at in chosen)) for method, its in placed.items())
        for sort, chosen in sorts.items()
    }


def _placed_by_all(cases: Sequence[Known]) -> dict[str, list[Diagnosed]]:
    evidence = [ranking.evidence_of(one.case) for one in cases]
    chosen = left_one_out(cases, evidence)
    diagnoses: dict[str, Callable[[int], Ranking]] = {
        LEFT_OUT: lambda at: ranking.rank(cases[at].case, chosen[at]),
        FIXED: lambda at: ranking.rank(cases[at].case, CHOSEN),
        LIVENESS: lambda at: ranking.rank(cases[at].lively or cases[at].case, CHOSEN),
    }
    guesses: dict[str, Callable[[int], Mapping[str, float]]] = {
        LARGEST: lambda at: baselines.largest_deviation(cases[at].case, evidence[at]),
        ALERTS: lambda at: baselines.most_alerts(cases[at].case, cases[at].alerts),
    }
    judged = {name: [judging.judged(way(at), one.hit) for at, one in enumerate(cases)] for name, way in diagnoses.items()}
    return judged | {name: [_placed(way(at), one.hit) for at, one in enumerate(cases)] for name, way in guesses.items()}


def left_one_out(cases: Sequence[Known], evidence: Sequence[Evidence]) -> list[Weights]:
    """For each case the weights that did best on those that share no kind of fault with it; the fixed ones where there are none, or none did better."""
    places = {weights: [_place(one, its, weights) for one, its in zip(cases, evidence, strict=True)] for weights in (CHOSEN, *GRID)}

    def best(judged: Known) -> Weights:
        others = [at for at, one in enumerate(cases) if not one.kinds & judged.kinds]
        return max(places, key=lambda weights: _worth([places[weights][at] for at in others]))

    by_kinds = {one.kinds: best(one) for one in cases}
    return [by_kinds[one.kinds] for one in cases]


def specificity(quiet: Sequence[Case]) -> tuple[int, int]:
    """Of cases in which nothing was wrong, (those that are told to have no cause, all)."""
    return sum(ranking.rank(case).no_cause for case in quiet), len(quiet)


def _worth(places: Sequence[int]) -> tuple[int, int]:
    return sum(place == 1 for place in places), sum(place <= 3 for place in places)


def _place(one: Known, evidence: Evidence, weights: Weights) -> int:
    found = list(ranking.weighed(one.case, evidence, weights))
    return min((found.index(name) + 1 for name in one.hit if name in found), default=len(found) + 1)


def _placed(found: Mapping[str, float], hit: frozenset[str]) -> Diagnosed:
    suspects = tuple(Suspect(name, score) for name, score in found.items())
    places = [place for place, suspect in enumerate(suspects, start=1) if suspect.component in hit]
    return Diagnosed(suspects, tuple(sorted(hit)), min(places, default=None), no_cause=False)
