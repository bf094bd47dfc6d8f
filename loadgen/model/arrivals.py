"""Arrival times of an open loop whose rate is a curve over load seconds: as many as planned in every ten of them, and random within these.

A Poisson process at the rates of a lab strays from its own mean: by 5 % in ten seconds of 40 a second, so that two seeds would not be the same
event. Here the number in each stretch is the plan's, rounded so that nothing is lost or gained over the whole. Given their number, the arrivals of
a Poisson process are independent draws from its rate: so these are drawn, and come in the bunches and gaps of one.
"""

from __future__ import annotations

import itertools
import math
import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

Shape = Literal["linear", "exponential"]

STRETCH_S = 10.0


def stream(seed: int, name: str) -> random.Random:
    """An own random stream per purpose, so that a change to one part of the schedule leaves the others as they were."""
    return random.Random(f"{seed}:{name}")


@dataclass(frozen=True)
class Piece:
    """A stretch [start, end) over which the rate (per second) goes from `first` to `last`; an exponential never touches zero."""

    start: float
    end: float
    first: float
    last: float
    shape: Shape = "linear"

    def rate(self, t: float) -> float:
        """Arrivals per second at load second `t`."""
        part = (t - self.start) / (self.end - self.start)
        if self.shape == "exponential":
            return self.first * math.exp(math.log(self.last / self.first) * part)
        return self.first + (self.last - self.first) * part

    def expected(self, start: float, end: float) -> float:
        """Mean number of arrivals in the part of [start, end) that lies in this piece."""
        start, end = max(start, self.start), min(end, self.end)
        if end <= start:
            return 0.0
        a, b = self.rate(start), self.rate(end)
        if self.shape == "exponential" and a != b:
            return (end - start) * (b - a) / math.log(b / a)
        return (end - start) * (a + b) / 2

    def second_of(self, share: float) -> float:
        """The load second by which this share, above zero, of the piece's arrivals is there: the inverse of their integral."""
        a, b = self.first, self.last
        if self.shape == "exponential" and a != b:
            part = math.log1p(share * (b / a - 1)) / math.log(b / a)
        else:
            part = share * (a + b) / (a + math.sqrt(a * a + share * (b * b - a * a)))
        return self.start + part * (self.end - self.start)

    def cut(self, every: float) -> Iterator[Piece]:
        """The piece, cut at the multiples of `every` seconds."""
        cuts = (n * every for n in range(math.floor(self.start / every) + 1, math.ceil(self.end / every)))
        for start, end in itertools.pairwise((self.start, *cuts, self.end)):
            yield Piece(start, end, self.rate(start), self.rate(end), self.shape)


@dataclass(frozen=True)
class Curve:
    """Pieces laid end to end; outside of them the rate is zero."""

    pieces: tuple[Piece, ...]

    def rate(self, t: float) -> float:
        """Arrivals per second at load second `t`."""
        return next((piece.rate(t) for piece in self.pieces if piece.start <= t < piece.end), 0.0)

    def expected(self, start: float, end: float) -> float:
        """Mean number of arrivals in [start, end): the integral of the rate."""
        return sum(piece.expected(start, end) for piece in self.pieces)


def arrivals(curve: Curve, rng: random.Random) -> Iterator[float]:
    """Load seconds of the arrivals, ascending. In each ten of them there are as many as expected, less than one more or less."""
    owed = rng.random()
    cut = (part for piece in curve.pieces for part in piece.cut(STRETCH_S))
    for _, stretch in itertools.groupby(cut, key=lambda part: part.start // STRETCH_S):
        parts = list(stretch)
        weights = [part.expected(part.start, part.end) for part in parts]
        owed += sum(weights)
        count = int(owed)
        owed -= count
        if count:
            yield from sorted(part.second_of(1 - rng.random()) for part in rng.choices(parts, weights, k=count))
