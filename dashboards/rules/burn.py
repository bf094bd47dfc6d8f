"""Burn alerts of one objective: good and total are recorded as sums over each window, and the sums are divided.

A ratio is never averaged: an average of ratios gives a quiet second the weight of a busy one (sloth#241).
"""

from __future__ import annotations

from itertools import groupby

from dashboards.rules import explain, model, windows
from dashboards.rules.windows import Window, Windows
from reference_app.query.slo import Slo

ALERT = "SloBurn"
EXAMPLE_SHARES = (0.5, 0.33, 0.1, 0.03)


def group(slo: Slo, config: Windows) -> model.Group:
    """Recordings and alerts of one objective. Raises WindowError when a rule could never fire."""
    for pair in config.pairs:
        windows.check(pair, slo=slo.name, objective=slo.objective)
    recordings = [rule for seconds in config.lengths_s for rule in _recordings(slo, model.duration(seconds))]
    by_severity = groupby(config.pairs, key=lambda pair: pair.severity)
    alerts = [_alert(slo, config, tuple(pairs)) for _, pairs in by_severity]
    return model.Group(f"slo-{slo.name}", config.evaluation_s, (*recordings, *alerts))


def _recordings(slo: Slo, window: str) -> tuple[model.Recording, ...]:
    labels, own = {"slo": slo.name}, f'{{slo="{slo.name}"}}'
    total, good, bad = (f"slo:{part}:increase{window}" for part in ("total", "good", "bad"))
    counted, rest, selector = (good, bad, slo.good_selector) if slo.good_selector else (bad, good, slo.bad_selector)
    return (
        model.Recording(total, f"sum(increase({slo.total_selector}[{window}]))", labels),
        # Without one good event there is no good series, and a difference with nothing is nothing. The same holds for bad ones.
        model.Recording(counted, f"sum(increase({selector}[{window}])) or 0 * sum(increase({slo.total_selector}[{window}]))", labels),
        model.Recording(rest, f"clamp_min({total}{own} - {counted}{own}, 0)", labels),
        model.Recording(f"slo:bad:ratio{window}", f"{bad}{own} / {total}{own}", labels),
    )


def _alert(slo: Slo, config: Windows, pairs: tuple[Window, ...]) -> model.Alert:
    return model.Alert(
        name=ALERT,
        expr="\nor\n".join(_condition(slo, pair, config) for pair in pairs),
        # Prometheus starts to count at the first evaluation that no longer holds, one interval after the last one that did.
        keep_firing_s=config.hold_s - config.evaluation_s,
        labels={"severity": pairs[0].severity, "slo": slo.name, "component": slo.service, "kind": "service"},
        annotations={
            "summary": f"{slo.title or slo.name}: {{{{ $value | humanizePercentage }}}} of events are bad, the objective allows {explain.percent(slo.error_budget)}",
            "description": " ".join((_MEANING.format(budget=explain.percent(slo.error_budget)), *(_explain(slo, pair) for pair in pairs))),
            "runbook_url": model.runbook(ALERT),
        },
    )


def _condition(slo: Slo, pair: Window, config: Windows) -> str:
    """Both windows burn, enough events are bad, and the counters existed a long window ago.

    Recorded series are read by range: an instant look-up finds what a Prometheus recorded that was stopped less than 5 minutes ago.
    """
    own, limit = f'{{slo="{slo.name}"}}', f"{windows.bad_share(pair, slo.objective):.10g}"
    long, short = model.duration(pair.long_s), model.duration(pair.short_s)
    latest = model.duration(3 * config.evaluation_s)
    return (
        f"(\n  last_over_time(slo:bad:ratio{long}{own}[{latest}]) > {limit}\n"
        f"  and last_over_time(slo:bad:ratio{short}{own}[{latest}]) > {limit}\n"
        f"  and last_over_time(slo:bad:increase{long}{own}[{latest}]) >= {config.min_bad_events}\n"
        f"  and count_over_time(slo:total:increase{long}{own}[{short}] offset {long}) > 0\n)"
    )


_MEANING = (
    "The burn rate is the share of bad events divided by the share that the objective allows ({budget}):"
    " at 1 the error budget lasts exactly as long as it has to."
)


def _explain(slo: Slo, pair: Window) -> str:
    times = ((share, windows.seconds_to_fire(pair, objective=slo.objective, error_share=share)) for share in EXAMPLE_SHARES)
    examples = ", ".join(f"{explain.percent(share)} after {explain.spoken(seconds)}" for share, seconds in times if seconds is not None)
    return (
        f"This fires above {pair.factor:g}, that is above {explain.percent(windows.bad_share(pair, slo.objective))} bad events, over {explain.spoken(pair.long_s)}"
        f" while the last {explain.spoken(pair.short_s)} still burn as fast; steady traffic fires it at {examples}."
    )
