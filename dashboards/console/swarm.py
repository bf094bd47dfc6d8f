"""Locust's own web page as its API tells of it: how its swarm does, starting one and stopping it (`failwhale load ui` serves it)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import httpx
import msgspec

from dashboards.console.draw import units

PEOPLE = ("Browser", "Reader", "Poster", "Spike")
"""Classes of `loadgen/locustfiles/ui.py`, which only a process of Locust's may import. Spike is the measured load."""
STEADY, EVENT = "Default", "Event"
"""Shapes: as many people all the time, or as many as the preset has reads."""
PATIENCE_S = 1.0
_IDLE = ("ready", "stopped")


class SwarmError(Exception):
    """Locust refuses, or is gone; the message says what it said."""


@dataclass(frozen=True)
class Wanted:
    """A swarm to be started. `people` are there at most, `rate` of them come each second; `scale` is of the preset's length."""

    classes: Sequence[str]
    people: int
    rate: float
    preset: str
    scale: float
    shape: str = STEADY


@dataclass(frozen=True)
class Swarm:
    """How it does at this moment: `state` is Locust's word, rates are of its last ten seconds, times in milliseconds."""

    state: str
    user_count: int
    current_rps: float = 0.0
    fail_ratio: float = 0.0
    current_response_time_percentiles: dict[str, float | None] = field(default_factory=dict)

    @property
    def idle(self) -> bool:
        """Whether another one can be started."""
        return self.state in _IDLE

    def headline(self) -> dict[str, str]:
        """Its figures, as people read them."""
        return {
            "People": units.count(self.user_count), "Requests": units.rate(self.current_rps), "Failed": units.share(self.fail_ratio),
            "p50": self._within(0.5), "p95": self._within(0.95),
        }  # fmt: skip

    def _within(self, share: float) -> str:
        milliseconds = self.current_response_time_percentiles.get(f"response_time_percentile_{share}")
        return units.seconds(None if milliseconds is None else milliseconds / 1000)


class _Answer(msgspec.Struct):
    success: bool
    message: str = ""


@dataclass(frozen=True)
class Page:
    """Locust's page at an address."""

    url: str

    @property
    def report(self) -> str:
        """Address of its report, to be downloaded."""
        return f"{self.url}/stats/report?download=1"

    def swarm(self) -> Swarm | None:
        """None where nobody answers, or somebody who is not Locust."""
        try:
            return msgspec.json.decode(self._ask("GET", "/stats/requests"), type=Swarm)
        except (SwarmError, msgspec.DecodeError):
            return None

    def start(self, wanted: Wanted) -> None:
        """Raises SwarmError."""
        form = {
            "user_classes": list(wanted.classes), "user_count": wanted.people, "spawn_rate": wanted.rate, "shape_class": wanted.shape,
            "preset": wanted.preset, "scale": wanted.scale,
        }  # fmt: skip
        self._told("/swarm", form)

    def stop(self) -> None:
        """Raises SwarmError."""
        self._told("/stop", {})

    def _told(self, path: str, form: dict[str, Any]) -> None:
        answer = msgspec.json.decode(self._ask("POST", path, form), type=_Answer)
        if not answer.success:
            raise SwarmError(answer.message)

    def _ask(self, method: str, path: str, form: dict[str, Any] | None = None) -> bytes:
        try:
            return httpx.request(method, f"{self.url}{path}", data=form, timeout=PATIENCE_S, trust_env=False).raise_for_status().content
        except httpx.HTTPError as error:
            raise SwarmError(f"Locust at {self.url} did not take it: {error}") from error
