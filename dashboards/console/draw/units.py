"""Numbers as people read them, with their units. Pure. What is not known is a dash."""

from __future__ import annotations

from datetime import UTC, datetime

NONE = "–"  # noqa: RUF001 - a dash


def rate(value: float | None) -> str:
    """`142/s`, `3.4/s`, `0/s`."""
    return NONE if value is None else f"{_short(value)}/s"


def seconds(value: float | None) -> str:
    """`0.4 ms`, `12 ms`, `1.3 s`."""
    if value is None:
        return NONE
    return f"{_short(value * 1000)} ms" if value < 0.9995 else f"{_short(value)} s"


def count(value: float | None) -> str:
    """`1,204`."""
    return NONE if value is None else f"{value:,.0f}"


def share(value: float | None) -> str:
    """`98.2 %`; `100 %` only for all of it, and `0 %` only for nothing."""
    if value is None:
        return NONE
    percent = 100 * value
    if percent in (0, 100):
        return f"{percent:.0f} %"
    return f"{min(max(percent, 0.1), 99.9):.{1 if percent < 10 or percent > 90 else 0}f} %"


def size(value: float | None) -> str:
    """`12.4 GB`."""
    if value is None:
        return NONE
    for unit, factor in (("TB", 1e12), ("GB", 1e9), ("MB", 1e6)):
        if value >= factor:
            return f"{_short(value / factor)} {unit}"
    return f"{_short(value / 1e3)} kB"


def clock(at: float) -> str:
    """`14:03:07`, UTC."""
    return f"{datetime.fromtimestamp(at, UTC):%H:%M:%S}"


def lasting(value: float) -> str:
    """`48 s`, `3 min 05 s`, `2 h 10 min`."""
    whole = max(0, round(value))
    if whole < 60:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    return f"{minutes} min {rest:02} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02} min"


def _short(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 or value == round(value) else f"{value:.1f}" if value >= 0.95 else f"{value:.2g}"
