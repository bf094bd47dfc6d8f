"""Deciders: run-time switches, an integer from 0 (off) to 10,000 (on) per feature, polled and never deployed (Krikorian; tweetypie's `Gate`).

The file is shared by all processes of a lab; an absent file or name means the default.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from pathlib import Path

import msgspec

from reference_app.kit import files

ON, OFF = 10_000, 0
POLL_SECONDS = 0.2

_DEFAULTS = {"replica_reads": ON, "tweet_cache": ON}


def defaults() -> dict[str, int]:
    """Every decider there is, with its value when nobody set one."""
    return dict(_DEFAULTS)


def read(path: Path) -> dict[str, int]:
    """Values in force: the defaults overlaid by the file."""
    try:
        stored = msgspec.json.decode(path.read_bytes(), type=dict[str, int])
    except FileNotFoundError:
        stored = {}
    return defaults() | stored


def write(path: Path, name: str, value: int) -> None:
    """Set one decider. Raises ValueError for an unknown name or a value outside 0..10000."""
    if name not in _DEFAULTS:
        raise ValueError(f"no decider {name!r}; there are {', '.join(sorted(_DEFAULTS))}")
    if not OFF <= value <= ON:
        raise ValueError(f"decider {name}: {value} is outside of {OFF}..{ON}")
    files.write_json(path, read(path) | {name: value})


class Deciders:
    """A process's view of the file, read again when it is older than 200 ms."""

    def __init__(self, path: Path, *, monotonic: Callable[[], float] = time.monotonic, rng: random.Random | None = None) -> None:
        self._path, self._monotonic, self._rng = path, monotonic, rng or random.Random()
        self._values, self._read_at = defaults(), float("-inf")

    def on(self, name: str) -> bool:
        """Draw once: True with probability value / 10000."""
        now = self._monotonic()
        if now - self._read_at >= POLL_SECONDS:
            self._values, self._read_at = read(self._path), now
        value = self._values[name]
        return value >= ON or (value > OFF and self._rng.randrange(ON) < value)
