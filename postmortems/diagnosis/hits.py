"""How often diagnoses named who was hit, beside what guessing would reach. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import comb

from postmortems.diagnosis.model import Diagnosed
from reference_app.kit import shares


@dataclass(frozen=True)
class Hits:
    """Shares of `n`, None of none. The intervals are Wilson's, the chances those of a guess among the components that each diagnosis ranked."""

    n: int
    top1: float | None
    top3: float | None
    top1_interval: tuple[float, float]
    top3_interval: tuple[float, float]
    chance_top1: float | None
    chance_top3: float | None
    no_cause: int


def count(judged: Iterable[Diagnosed]) -> Hits:
    """All of them together. Who was hit and not ranked at all is missed, and so is whoever was ranked in an answer that says that there is no cause."""
    known = list(judged)
    firsts, thirds = (sum(one.truth_rank is not None and one.truth_rank <= k and not one.no_cause for one in known) for k in (1, 3))
    return Hits(
        len(known), _mean([firsts], len(known)), _mean([thirds], len(known)), shares.wilson(firsts, len(known)), shares.wilson(thirds, len(known)),
        _mean([chance(one, 1) for one in known], len(known)), _mean([chance(one, 3) for one in known], len(known)),
        sum(one.no_cause for one in known),
    )  # fmt: skip


def chance(one: Diagnosed, k: int) -> float:
    """Probability that one who was hit is among the first k of a random order."""
    return guess(len(one.ranked), len(one.truth), k)


def guess(n: int, right: int, k: int) -> float:
    """The same of `right` components among n."""
    if not n:
        return 0.0
    return 1 - comb(max(0, n - right), min(k, n)) / comb(n, min(k, n))


def _mean(values: Sequence[float], n: int) -> float | None:
    return round(sum(values) / n, 4) if n else None
