"""Goodput by second, and what the cache-truth benchmark concludes from it. Pure."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

from failwhale.bench.model import Interval
from failwhale.bench.open_loop import Answer
from reference_app.kit import shares

COLLAPSED_BELOW, COLLAPSED_FOR_S = 0.5, 20
HELD_FROM = 0.9
HEALTHY_FROM = 0.95
WARM_FROM, COLD = 0.998, (0.81, 0.87)
"""Hit rates that a run must have had, before (the incident's 99.8 %) and, without protections, while the caches were cold (84 %)."""


@dataclass(frozen=True)
class Course:
    """One run: by second the share of pages that were complete and in time; and in the baseline and while the caches are cold the hit rate."""

    goodput: tuple[float, ...]
    cold_from_s: int
    cold_to_s: int
    hit_rate_before: float
    hit_rate_cold: float
    good_cold: int
    offered_cold: int
    latencies_cold: tuple[float, ...] = ()
    """Sorted, of all answers, in seconds from when the reads were due."""

    @property
    def goodput_cold(self) -> float:
        """Share of the pages offered while the caches were cold."""
        return self.good_cold / self.offered_cold

    @property
    def goodput_before(self) -> float:
        """Mean of the seconds of the baseline, without the first, which connects."""
        seconds = self.goodput[1 : self.cold_from_s]
        return sum(seconds) / len(seconds)

    def latency(self, quantile: float) -> float:
        """Of the pages offered while the caches were cold, good or not."""
        return self.latencies_cold[min(len(self.latencies_cold) - 1, int(quantile * len(self.latencies_cold)))]

    @property
    def collapsed_s(self) -> int:
        """Longest row of seconds below half of what was offered."""
        return longest_below(self.goodput[self.cold_from_s : self.cold_to_s], COLLAPSED_BELOW)


def lacking(off: Course, on: Course) -> list[str]:
    """Why two runs, without and with protections, do not show what they are to show; empty when they do."""
    found = [
        f"goodput {name} the protections was {course.goodput_before:.1%} before anything was cold: the machine is too busy for these reads"
        for name, course in (("without", off), ("with", on))
        if course.goodput_before < HEALTHY_FROM
    ]
    found += [f"the hit rate was {course.hit_rate_before:.1%} to begin with" for course in (off, on) if course.hit_rate_before < WARM_FROM]
    if not COLD[0] <= off.hit_rate_cold <= COLD[1]:
        found.append(f"the hit rate without the protections was {off.hit_rate_cold:.1%} and not about 84 %")
    if off.collapsed_s < COLLAPSED_FOR_S:
        found.append(f"without the protections goodput was below half for {off.collapsed_s} s and not for {COLLAPSED_FOR_S}")
    return found


def by_second(answers: Sequence[Answer], *, within_s: float, seconds: int) -> tuple[float, ...]:
    """Share of the answers due in each second that were good and in time; 1.0 for a second in which nothing was due."""
    offered, good = [0] * seconds, [0] * seconds
    for answer in answers:
        offered[int(answer.due_s)] += 1
        good[int(answer.due_s)] += answer.good and answer.latency_s <= within_s
    return tuple(part / whole if whole else 1.0 for part, whole in zip(good, offered, strict=True))


def longest_below(series: Sequence[float], bound: float) -> int:
    """Length of the longest row of values below the bound."""
    rows = (len(list(row)) for below, row in itertools.groupby(series, lambda value: value < bound) if below)
    return max(rows, default=0)


def share(good: int, offered: int) -> Interval:
    """A share with Wilson's 95 % interval."""
    return Interval(good / offered, *shares.wilson(good, offered))


def slots(reads_per_s: float, hit_rate: float, *, share_of_offered: float, shards: int, page: int, hold_s: float) -> int:
    """Slots of a pool that takes `share_of_offered` of the cold batches that these reads make of independent misses: one for each shard with one."""
    batches_per_s = reads_per_s * shards * (1 - math.pow(hit_rate, page / shards))
    return max(1, round(share_of_offered * batches_per_s * hold_s))
