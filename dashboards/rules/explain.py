"""What burn rates mean, in words and figures: what fires at which share of bad events, what is spent by then, and how long it takes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from dashboards.rules import windows
from dashboards.rules.windows import Window, Windows
from reference_app.query.slo import Slo

SHARES = (1.0, 0.5, 0.1, 0.03, 0.01, 0.001)


@dataclass(frozen=True)
class Fires:
    """Seconds of steady traffic at a share of bad events until an alert fires; None: never. `lasts_s`: until the whole budget is gone."""

    bad_share: float
    burn_rate: float
    after_s: float | None
    lasts_s: float


@dataclass(frozen=True)
class Rule:
    """One pair of windows. `spent_share` of the period's budget is gone when it fires;"""

    severity: str
    long_s: int
    short_s: int
    factor: float
    above_share: float
    spent_share: float
    fires: tuple[Fires, ...]


@dataclass(frozen=True)
class Explained:
    """One objective with all its rules."""

    name: str
    title: str
    objective: float
    period_s: int
    rules: tuple[Rule, ...]


def explain(slo: Slo, config: Windows, shares: Sequence[float] = SHARES) -> Explained:
    """Raises WindowError, with the arithmetic, when a rule could never fire."""
    for pair in config.pairs:
        windows.check(pair, slo=slo.name, objective=slo.objective)
    rules = tuple(_rule(slo, pair, shares) for pair in config.pairs)
    return Explained(slo.name, slo.title, slo.objective, slo.period_s, rules)


def _rule(slo: Slo, pair: Window, shares: Sequence[float]) -> Rule:
    return Rule(
        severity=pair.severity, long_s=pair.long_s, short_s=pair.short_s, factor=pair.factor,
        above_share=windows.bad_share(pair, slo.objective), spent_share=round(windows.spent(pair, slo.period_s), 6),
        fires=tuple(_fires(slo, pair, share) for share in shares),
    )  # fmt: skip


def _fires(slo: Slo, pair: Window, share: float) -> Fires:
    rate = share / slo.error_budget
    after = windows.seconds_to_fire(pair, objective=slo.objective, error_share=share)
    return Fires(share, round(rate, 6), None if after is None else round(after, 3), round(slo.period_s / rate, 3))


def in_words(told: Explained) -> Iterator[str]:
    """The same as sentences."""
    budget = 1 - told.objective
    yield f"{told.name}: {told.title or 'no title'}. {percent(told.objective)} of events have to be good over {spoken(told.period_s)}."
    yield (
        f"  The error budget is the other {percent(budget)}: of a million events {budget * 1e6:,.0f} may be bad. The burn rate is the share of bad"
        f" events divided by {percent(budget)}: at 1 the budget lasts exactly {spoken(told.period_s)}, at 2 half as long."
    )
    for rule in told.rules:
        yield from _rule_in_words(told, rule)


def _rule_in_words(told: Explained, rule: Rule) -> Iterator[str]:
    lasts = told.period_s / rule.factor
    yield (
        f"  {rule.severity}: a burn rate above {rule.factor:g}, that is more than {percent(rule.above_share)} bad events, over {spoken(rule.long_s)},"
        f" while the last {spoken(rule.short_s)} still burn as fast. At {rule.factor:g} the whole budget lasts {spoken(lasts)};"
        f" when this fires, {percent(rule.spent_share)} of it is spent."
    )
    for fires in rule.fires:
        when = "never fires" if fires.after_s is None else f"fires after {spoken(fires.after_s)}"
        yield f"    {percent(fires.bad_share)} bad (burn rate {fires.burn_rate:g}): {when}; the budget lasts {spoken(fires.lasts_s)}."


def percent(share: float) -> str:
    return f"{100 * share:.4g} %"


def spoken(seconds: float) -> str:
    """Seconds in the largest unit of which there are two: 5400 -> 90 min."""
    unit, size = next((u, s) for u, s in (("d", 86400), ("h", 3600), ("min", 60), ("s", 1)) if s == 1 or seconds >= 2 * s)
    return f"{seconds / size:.3g} {unit}" if size > 1 else f"{seconds:.0f} s"
