"""Shapes for Locust's shape picker: how many people are there, second by second, when the presets' events come over them."""

from __future__ import annotations

import time
from typing import Any

from locust import LoadTestShape

from loadgen import plans
from loadgen.model import presets

DEFAULT_PEOPLE = 50


class Event(LoadTestShape):
    """As many people as the preset has reads, relative to its peak: `users` of the form are there at the peak.

    Locust asks about once a second, so a shape has no shorter events.
    """

    use_common_options = True

    def tick(self) -> tuple[int, float] | None:
        """(people, how many come or go per second); None ends it."""
        assert self.runner is not None  # noqa: S101 - set before the first tick
        options: Any = self.runner.environment.parsed_options
        second = time.perf_counter() - self.start_time
        phases = plans.scaled(float(options.scale), {})
        people = presets.people_at(second, presets.named(options.preset), phases, peak=options.num_users or DEFAULT_PEOPLE)
        return None if people is None else (people, float(people))
