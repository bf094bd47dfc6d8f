"""ComponentSlow: whoever answers late by the prober's own question or by the callers' clocks, the deepest one of them.

A service that waits for a slow store is slow, too. It is reported when nothing that it calls, at whatever distance, is in trouble.
"""

from __future__ import annotations

from dashboards.rules import model
from dashboards.rules.thresholds import Thresholds
from dashboards.rules.tickets import LAB_MEDIAN, PROBE_MEDIAN, UNRESPONSIVE, latest, starved, ticket, within
from reference_app.contract import metrics
from reference_app.contract.topology import SERVICE_EDGES, SERVICES

BY_CALLER, CALLER_LAG, CALL_MEDIAN = "caller:call_seconds:median", "caller:lag:seconds", "component:call_seconds:median"
SLOW_ITSELF, SLOW_TO_CALLERS = "component:slow:itself", "service:slow:to_callers"
_OUTCOMES = "ok|duplicate|timeout|deadline"
"""What was waited for: a call that was refused took no time."""


def recordings(limits: Thresholds) -> tuple[model.Recording, ...]:
    probe = f"quantile_over_time(0.5, {metrics.PROBE_SECONDS.name}{within(limits.median_s)})"
    return (
        model.Recording(PROBE_MEDIAN, f"max by (component) ({probe})"),
        model.Recording(LAB_MEDIAN, f"quantile(0.5, {PROBE_MEDIAN})"),
        model.Recording(BY_CALLER, _by_caller(limits)),
        model.Recording(CALLER_LAG, _caller_lag()),
        model.Recording(CALL_MEDIAN, _call_median(limits)),
        model.Recording(SLOW_ITSELF, _itself(limits)),
        *(model.Recording(SLOW_TO_CALLERS, _to_callers(group, limits), {"group": group}) for group in _deepest_first() if group in _CALLED),
    )


def alert(limits: Thresholds) -> model.Alert:
    expr = f"max by (component) ({latest(SLOW_ITSELF, limits)} or {latest(SLOW_TO_CALLERS, limits)})\nunless on () {starved(limits)}"
    return ticket("ComponentSlow", expr, "{{ $labels.component }} takes {{ $value | humanizeDuration }} for what takes milliseconds")


def named(*groups: str) -> str:
    """A regular expression for the components of these groups, and for the groups themselves."""
    return f"(?:{'|'.join(groups)})(?:-[0-9]+)?(?:-primary|-replica)?"


def below(group: str) -> tuple[str, ...]:
    """Every group that this one calls, at whatever distance, nearest first."""
    found: list[str] = []
    waiting = list(SERVICE_EDGES.get(group, ()))
    while waiting:
        callee = waiting.pop(0)
        if callee not in found:
            found.append(callee)
            waiting.extend(SERVICE_EDGES.get(callee, ()))
    return tuple(found)


_CALLED = {callee for caller, callees in SERVICE_EDGES.items() if caller != "edge" for callee in callees if callee in SERVICES}
"""Services whose callers measure them; the edge keeps no histogram."""


def _deepest_first() -> list[str]:
    """Every service after those that it calls: rules of a group see what those above them recorded."""
    return sorted(SERVICES, key=lambda group: len([g for g in below(group) if g in SERVICES]))


def _by_caller(limits: Thresholds) -> str:
    def calls(suffix: str, by: str) -> str:
        names = "|".join(f"{metric.name}_{suffix}" for metric in (metrics.HTTP_CLIENT, metrics.DB_CLIENT, metrics.STREAM_CLIENT))
        selected = f'{{__name__=~"{names}",outcome=~"{_OUTCOMES}",messaging_operation_name=~"|publish"}}'
        return f"sum by ({by}) (rate({selected}{within(limits.rate_s)}))"

    enough = f"{calls('count', 'component, peer')} > {limits.calls_rate}"
    return f"histogram_quantile(0.5, {calls('bucket', 'component, peer, le')}) and on (component, peer) {enough}"


def _caller_lag() -> str:
    """How late the caller itself is: its fastest callee's answers, or the prober's where it has but one."""
    several = f"count by (component) ({BY_CALLER}) > 1"
    return f"(min by (component) ({BY_CALLER}) and on (component) {several}) or on (component) {PROBE_MEDIAN}"


def _call_median(limits: Thresholds) -> str:
    """Who has no time to read answers finds everybody slow: what counts is slow beside the caller's own lag."""
    beside = f"{BY_CALLER} > on (component) group_left () ({limits.caller_lags} * {CALLER_LAG})"
    return f'label_replace(max by (peer) ({beside}), "component", "$1", "peer", "(.+)")'


def _itself(limits: Thresholds) -> str:
    groups = [callee for callees in SERVICE_EDGES.values() for callee in callees if callee not in SERVICES]
    stores = f'{CALL_MEDIAN}{{component=~"{named(*dict.fromkeys(groups))}"}}'
    late = f"max by (component) ({PROBE_MEDIAN} > {limits.probe_slow} or {stores} > {limits.store_slow})"
    return f"{late} unless on (component) {_unresponsive(limits)}"


def _to_callers(group: str, limits: Thresholds) -> str:
    calls = f'max by (component) ({CALL_MEDIAN}{{component=~"{named(group)}"}} > {limits.service_slow})'
    own = f"unless on (component) ({latest(SLOW_ITSELF, limits)} or {_unresponsive(limits)})"
    of = f'{{component=~"{named(*below(group))}"}}'
    trouble = " or ".join((latest(SLOW_ITSELF + of, limits), latest(SLOW_TO_CALLERS + of, limits), _unresponsive(limits, of)))
    return f"{calls} {own} unless on () ({trouble})" if below(group) else f"{calls} {own}"


def _unresponsive(limits: Thresholds, of: str = "") -> str:
    return f"last_over_time({UNRESPONSIVE}{of}{within(limits.settle_s)})"
