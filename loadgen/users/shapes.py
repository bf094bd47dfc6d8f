"""Shapes for Locust's shape picker: how many people are there, second by second, when the presets' events come over them."""

from __future__ import annotations

import math
import time
from typing import Any

from locust import LoadTestShape

from loadgen import plans, session
from loadgen.model import presets
from loadgen.users.spike import Spike

DEFAULT_PEOPLE = 50


class Event(LoadTestShape):
    """As many people as the preset has reads, relative to its peak: `users` of the form are there at the peak.

    Locust asks about once a second, so a shape has no shorter events.
    """

    use_common_options = True

    def tick(self) -> tuple[int, float] | None:
        """(people, how many come or go per second); None ends it."""
        assert self.runner is not None  # noqa: S101 - set before the first tick
        environment: Any = self.runner.environment
        options = environment.parsed_options
        phases = plans.scaled(float(options.scale), {})
        second = self._second(phases[-1].end, measured=Spike in environment.user_classes)
        people = presets.people_at(second, presets.named(options.preset), phases, peak=options.num_users or DEFAULT_PEOPLE)
        return None if people is None else (people, float(people))

    def _second(self, end: float, *, measured: bool) -> float:
        """Of the event. The measured load begins later, and has its last answers after the end: a shape that ends before would stop it."""
        second = time.perf_counter() - self.start_time
        if not measured:
            return second
        second = max(0.0, second - session.PLAIN_LEAD_S)
        return min(second, math.nextafter(end, 0.0)) if second < end + plans.DRAIN_S else second
