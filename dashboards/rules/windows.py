"""Burn windows: a long window says that the budget burns too fast, its short one that it still does (Google SRE workbook, chapter 5).

OpenSLO v1 cannot state two windows (OpenSLO#218), so they are data here, checked when they are built and again against every objective.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Severity = Literal["page", "ticket"]

MINUTE, HOUR, DAY = 60, 3600, 86400
MIN_SCRAPES_PER_WINDOW = 4
LEAST_FACTOR = 0.9
"""The slowest pair of 28 days is 0.933: it tells of a tenth of the budget, of which the rest would do."""


class WindowError(Exception):
    """Windows that cannot work, with the arithmetic."""


@dataclass(frozen=True)
class Window:
    """Fires while both windows burn more than `factor` times as fast as the objective allows. Seconds."""

    severity: Severity
    long_s: int
    short_s: int
    factor: float

    def __post_init__(self) -> None:
        if not 0 < self.short_s < self.long_s:
            raise WindowError(f"the short window ({self.short_s} s) must be shorter than the long one ({self.long_s} s)")
        if self.factor < LEAST_FACTOR:
            raise WindowError(f"a burn rate of {self.factor:g} leaves budget over: an alert needs at least {LEAST_FACTOR:g}")


@dataclass(frozen=True)
class Windows:
    """What one set of rules uses. Seconds.

    `min_bad_events` in the long window arm an alert, so that one failure in a quiet minute pages nobody. `hold_s` keeps it firing
    after the last evaluation at which it was due.
    """

    scrape_s: int
    evaluation_s: int
    min_bad_events: int
    hold_s: int
    pairs: tuple[Window, ...]

    def __post_init__(self) -> None:
        for pair in self.pairs:
            if pair.short_s < MIN_SCRAPES_PER_WINDOW * self.scrape_s:
                raise WindowError(
                    f"a window of {pair.short_s} s holds {pair.short_s // self.scrape_s} scrapes of {self.scrape_s} s;"
                    f" it needs {MIN_SCRAPES_PER_WINDOW} for a rate that means something"
                )

    @property
    def lengths_s(self) -> tuple[int, ...]:
        """Every window once, short to long."""
        return tuple(sorted({seconds for pair in self.pairs for seconds in (pair.short_s, pair.long_s)}))


LAB = Windows(scrape_s=1, evaluation_s=1, min_bad_events=5, hold_s=10, pairs=(Window("page", 60, 5, 14.4),))
"""One pair: the 30-day windows divided by 30 would not reset within a drill and would blame the next one."""

THIRTY_DAYS, FOUR_WEEKS = 30 * DAY, 28 * DAY
_WORKBOOK: tuple[tuple[Severity, int, int, float], ...] = (
    ("page", HOUR, 5 * MINUTE, 0.02), ("page", 6 * HOUR, 30 * MINUTE, 0.05), ("ticket", DAY, 2 * HOUR, 0.1), ("ticket", 3 * DAY, 6 * HOUR, 0.1),
)  # fmt: skip
"""Severity, long and short window, and the share of the budget that is spent when it fires (Sloth's google-30d.yaml)."""


def production(period_s: int = THIRTY_DAYS) -> Windows:
    """For the budget of a period: of 30 days 14.4, 6, 3 and 1; of 28 days 13.44, 5.6, 2.8 and 0.933.

    From four weeks on the windows stay and the factors follow the period; a shorter period keeps the factors of 30 days and
    shortens the windows. Raises WindowError when they hold too few scrapes.
    """
    scale = 1.0 if period_s >= FOUR_WEEKS else period_s / THIRTY_DAYS
    pairs = tuple(
        Window(severity, round(long * scale), round(short * scale), round(spent * period_s / (long * scale), 12))
        for severity, long, short, spent in _WORKBOOK
    )
    return Windows(scrape_s=15, evaluation_s=30, min_bad_events=5, hold_s=120, pairs=pairs)


PRODUCTION = production()


def check(pair: Window, *, slo: str, objective: float) -> None:
    """Refuse a rule that can never fire: its threshold is all events or more."""
    threshold = bad_share(pair, objective)
    if threshold >= 1:
        raise WindowError(
            f"{slo}: {pair.factor:g} x (1 - {objective:g}) = {threshold:g}, so this rule needs {threshold:.0%} of all events to be bad"
            f" and can never fire: raise the objective above {1 - 1 / pair.factor:.4g} or lower the factor"
        )


def bad_share(pair: Window, objective: float) -> float:
    """The share of bad events above which the pair fires."""
    return round(pair.factor * (1 - objective), 12)


def spent(pair: Window, period_s: int) -> float:
    """Share of the budget of a period that is spent when steady traffic makes the pair fire."""
    return pair.factor * pair.long_s / period_s


def seconds_to_fire(pair: Window, *, objective: float, error_share: float) -> float | None:
    """Seconds of steady traffic at that share of bad events until the long window burns too fast; None when it never does."""
    threshold = bad_share(pair, objective)
    return threshold / error_share * pair.long_s if error_share > threshold else None
