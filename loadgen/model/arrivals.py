"""Arrival times of an open loop: an inhomogeneous Poisson process whose rate is a curve over load seconds."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

Shape = Literal["linear", "exponential"]


def stream(seed: int, name: str) -> random.Random:
    """An own random stream per purpose, so that a change to one part of the schedule leaves the others as they were."""
    return random.Random(f"{seed}:{name}")


@dataclass(frozen=True)
class Piece:
    """A stretch [start, end) over which the rate (per second) goes from `first` to `last`; both are above zero."""

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
    """Load seconds of the arrivals, ascending."""
    for piece in curve.pieces:  # a Poisson process has no memory, so it may begin anew with each piece
        yield from _within(piece, rng)


def _within(piece: Piece, rng: random.Random) -> Iterator[float]:
    """Thinning (Lewis and Shedler 1979): candidates at the highest rate, kept with the probability rate / highest."""
    t, peak = piece.start, max(piece.first, piece.last)
    while (t := t + rng.expovariate(peak)) < piece.end:
        if rng.random() * peak <= piece.rate(t):
            yield t
