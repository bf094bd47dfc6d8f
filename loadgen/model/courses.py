"""How events go: from rest (0) to their height (1) and back, laid over the phases of a plan so that a drill's fault meets them where they matter.

A course that lasts (surge, day) has its height around the whole fault; one of a moment (chant) comes while the fault is there.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from loadgen.model.arrivals import Shape
from reference_app.contract.plan import Phase

Phases = tuple[Phase, ...]
Height = Callable[[float], float]
Knots = tuple[tuple[float, float], ...]

STEP_S = 0.5
"""A bent course is laid as straight legs of this length."""

CHANT_RISE_S, CHANT_HOLD_S, CHANT_FALL_S = 1.0, 1.0, 2.0
CHANT_AT = 0.25
"""Part of the fault that is over when the chant is at its height: alerts are out by then, and there is time left to get over it."""

HOURS_AFTER_MIDNIGHT = 20
"""The phases after the fault are the rest of New Year's night, so many hours of it."""
MIDNIGHTS = ((2, 11_675), (9, 9_455), (14, 13_336), (17, 7_137))
"""Hours after Japan's midnight of 2013, and tweets a second when it was midnight in UTC+7, in London, New York and California."""
MIDNIGHT_JAPAN, MULTIPLE_JAPAN = 33_388, 6.0
"""Tweets a second, and how many times a mean second's that was."""
ECHO_RISE_H, ECHO_FALL_H = 0.2, 1.0
MIDNIGHT_HALF_LIFE_H = 0.6
"""Of what is above rest, once the fault is over: with a drill's phases, 64 s are above half, and the first echo is not drowned."""

SEISMIC_FLAT_S, SEISMIC_EXPONENT = 300.0, -1.2315
"""Memory kernel of retweets (Zhao et al., SEISMIC, KDD 2015; defaults of its R package): constant for 300 s, then a power of the time."""
SEISMIC_SPEED = 60.0
"""A minute of it is a second of load."""


@dataclass(frozen=True)
class Leg:
    """A stretch [start, end) of load seconds between two heights."""

    start: float
    end: float
    first: float
    last: float
    shape: Shape = "linear"


Course = Callable[[Phases], tuple[Leg, ...]]


def phase_of(phases: Phases, name: str) -> Phase:
    """The phase of that name."""
    return next(phase for phase in phases if phase.name == name)


def surge(phases: Phases) -> tuple[Leg, ...]:
    """Rest, a linear ramp, the plateau before, during and after the fault, an exponential return."""
    return tuple(_leg(phase) for phase in phases if phase.end > phase.start)


def _leg(phase: Phase) -> Leg:
    ends: dict[str, tuple[float, float, Shape]] = {
        "warmup": (0, 0, "linear"),
        "baseline": (0, 0, "linear"),
        "ramp": (0, 1, "linear"),
        "decay": (1, 0, "exponential"),
    }
    return Leg(phase.start, phase.end, *ends.get(phase.name, (1, 1, "linear")))


def day(phases: Phases) -> tuple[Leg, ...]:
    """One day, as long as the load: a cosine with its noon in the middle of the fault."""
    noon, length = middle(phase_of(phases, "fault")), phases[-1].end
    return _laid(lambda t: (1 + math.cos(2 * math.pi * (t - noon) / length)) / 2, phases)


def chant(phases: Phases) -> tuple[Leg, ...]:
    """Rest but for one second when everybody posts, a quarter into the fault; it is reached within a second."""
    fault = phase_of(phases, "fault")
    top = fault.start + CHANT_AT * (fault.end - fault.start)
    knots = ((top - CHANT_RISE_S, 0.0), (top, 1.0), (top + CHANT_HOLD_S, 1.0), (top + CHANT_HOLD_S + CHANT_FALL_S, 0.0))
    return _laid(lambda t: _between(knots, t), phases, corners=[t for t, _ in knots])


def midnights(phases: Phases) -> tuple[Leg, ...]:
    """Japan's midnight: up within the ramp, there until the fault ends, then down by half again and again; echoes from other time zones follow."""
    ramp, fault = phase_of(phases, "ramp"), phase_of(phases, "fault")
    hour = (phases[-1].end - fault.end) / HOURS_AFTER_MIDNIGHT
    echoes = [_echo(fault.end + after * hour, hour, tweets) for after, tweets in MIDNIGHTS]

    def height(t: float) -> float:
        if t <= fault.end:
            return _between(((ramp.start, 0.0), (ramp.end, 1.0)), t)
        fading = math.exp2((fault.end - t) / (MIDNIGHT_HALF_LIFE_H * hour))
        return max(fading, *(_between(echo, t) for echo in echoes))

    corners = [ramp.start, ramp.end, fault.end, *(t for echo in echoes for t, _ in echo)]
    return _laid(height, phases, corners=corners)


def _echo(midnight: float, hour: float, tweets: int) -> Knots:
    top = (MULTIPLE_JAPAN * tweets / MIDNIGHT_JAPAN - 1) / (MULTIPLE_JAPAN - 1)
    return ((midnight, 0.0), (midnight + ECHO_RISE_H * hour, top), (midnight + (ECHO_RISE_H + ECHO_FALL_H) * hour, 0.0))


def cascade(phases: Phases) -> tuple[Leg, ...]:
    """What one tweet brings about that is posted when the ramp begins, a minute of it in a second."""
    posted, flat = began(phases), SEISMIC_FLAT_S / SEISMIC_SPEED

    def height(t: float) -> float:
        age = t - posted
        return max(0.0, age) if age <= 1 else min(1.0, (age / flat) ** SEISMIC_EXPONENT)

    return _laid(height, phases, corners=[posted, posted + 1, posted + flat])


def began(phases: Phases) -> float:
    """The load second at which the event begins."""
    return phase_of(phases, "ramp").start


def middle(phase: Phase) -> float:
    """Its load second."""
    return (phase.start + phase.end) / 2


def _between(knots: Knots, t: float) -> float:
    """The height on straight lines through the knots, level before the first and after the last."""
    if t <= knots[0][0]:
        return knots[0][1]
    for (start, first), (end, last) in itertools.pairwise(knots):
        if t < end:
            return first + (last - first) * (t - start) / (end - start)
    return knots[-1][1]


def _laid(height: Height, phases: Phases, *, corners: Iterable[float] = ()) -> tuple[Leg, ...]:
    """Straight legs through the heights at every step, and at the corners."""
    end = phases[-1].end
    steps = (n * STEP_S for n in range(math.ceil(end / STEP_S)))
    times = sorted({*steps, *(t for t in corners if 0 < t < end), end})
    return tuple(Leg(start, stop, height(start), height(stop)) for start, stop in itertools.pairwise(times))
