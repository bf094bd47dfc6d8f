from __future__ import annotations

import numpy as np
import pytest

from postmortems.diagnosis import evaluating, hits, ranking
from postmortems.diagnosis.evaluating import Known
from postmortems.diagnosis.model import Case, Diagnosed, Series, Suspect

RNG = np.random.default_rng(11)
NAMES = ("a", "b", "c", "d", "e")


def case(**became: float) -> Case:
    def signal(name: str) -> Series:
        return Series(
            name,
            "mean_seconds",
            0.01 * (1 + 0.05 * RNG.standard_normal(60)),
            became.get(name, 0.01) * (1 + 0.05 * RNG.standard_normal(20)),
            "door",
        )

    return Case(tuple(map(signal, NAMES)), frozenset(("door", name) for name in NAMES))


def known(hit: str, kind: str, **more) -> Known:
    return Known(case(**{hit: 0.5}), frozenset({hit}), frozenset({kind}), **more)


def by_method(judged):
    return {one.method: one.hits for one in judged}


def test_every_method_is_judged_on_the_same_cases():
    found = by_method(evaluating.evaluate([known("c", "kill"), known("e", "pause", alerts={"e": 2, "a": 1})]))
    assert {one.n for one in found.values()} == {2}
    assert found[evaluating.FIXED].top1 == found[evaluating.LEFT_OUT].top1 == 1
    assert (found[evaluating.ALERTS].top1, found[evaluating.ALERTS].top3) == (0.5, 1.0)
    assert found[evaluating.FIXED].chance_top1 == pytest.approx(1 / 6, abs=0.001)


def test_crashes_and_grey_faults_are_apart():
    found = evaluating.by_sort([known("c", "kill"), known("e", "pause")], {"kill"})
    assert {sort: judged[0].hits.n for sort, judged in found.items()} == {"all": 2, "crash": 1, "grey": 1}


def test_no_weights_are_chosen_on_the_kind_of_fault_that_they_are_judged_on(monkeypatch):
    """The one set of weights that finds `kill` is not used for it, but for others."""
    best = evaluating.GRID[3]

    def place(one, _evidence, weights):
        return 1 if weights == best and one.kinds == {"kill"} else 4

    monkeypatch.setattr(evaluating, "_place", place)
    cases = [known("a", "kill"), known("b", "pause")]
    assert evaluating.left_one_out(cases, [ranking.evidence_of(one.case) for one in cases]) == [ranking.CHOSEN, best]


def test_quiet_cases_are_told_to_be_quiet():
    assert evaluating.specificity([case(), case(), case(b=0.5)]) == (2, 3)


@pytest.mark.parametrize(("truth", "k", "chance"), [(("a",), 1, 0.2), (("a",), 3, 0.6), (("a", "b"), 1, 0.4), (("z",), 1, 0.2)])
def test_a_guess_is_right_as_often_as_there_are_right_ones(truth, k, chance):
    diagnosed = Diagnosed(tuple(Suspect(name, 0.0) for name in NAMES), truth, None, no_cause=False)
    assert hits.chance(diagnosed, k) == pytest.approx(chance)
