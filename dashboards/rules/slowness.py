"""ComponentSlow: whoever answers late by the prober's own question or by the callers' clocks, the deepest one of them.

A service that waits for a slow store is slow, too. It is reported when nothing that it calls, at whatever distance, is in trouble.
"""

from __future__ import annotations

from dashboards.rules import model
from dashboards.rules.thresholds import Thresholds
from dashboards.rules.tickets import LAB_MEDIAN, PROBE_MEDIAN, UNRESPONSIVE, latest, starved, ticket, within
from reference_app.contract import metrics
from reference_app.contract.topology import SERVICE_EDGES, SERVICES

CALLS, CALL_MEAN, LATE, CALLER_LAG = "caller:calls:rate", "caller:call_seconds:mean", "caller:calls:late_share", "caller:lag:seconds"
LATE_TO_CALLERS = "component:late:seconds"
SLOW_ITSELF, SLOW_TO_CALLERS = "component:slow:itself", "service:slow:to_callers"
_OUTCOMES = "ok|duplicate|timeout|deadline"
"""What was waited for: a call that was refused took no time."""


def recordings(limits: Thresholds) -> tuple[model.Recording, ...]:
    probe = f"quantile_over_time(0.5, {metrics.PROBE_SECONDS.name}{within(limits.median_s)})"
    return (
        model.Recording(PROBE_MEDIAN, f"max by (component) ({probe})"),
        model.Recording(LAB_MEDIAN, f"quantile(0.5, {PROBE_MEDIAN})"),
        model.Recording(CALLS, _calls("count", limits)),
        model.Recording(CALL_MEAN, f"{_calls('sum', limits)} / ({latest(CALLS, limits)} > {limits.calls_rate})"),
        model.Recording(LATE, f"{_late(_stores(), limits.store_slow, limits)}\nor\n{_late(_services(), limits.service_slow, limits)}"),
        model.Recording(CALLER_LAG, _caller_lag(limits)),
        model.Recording(LATE_TO_CALLERS, _late_to_callers(limits)),
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


def _deepest_first() -> list[str]:
    """Every service after those that it calls: rules of a group see what those above them recorded."""
    return sorted(SERVICES, key=lambda group: len([g for g in below(group) if g in SERVICES]))


def _services() -> str:
    """Those whose callers measure them; the edge keeps no histogram."""
    return named(*(group for group in _deepest_first() if group in _CALLED))


def _stores() -> str:
    groups = [callee for callees in SERVICE_EDGES.values() for callee in callees if callee not in SERVICES]
    return named(*dict.fromkeys(groups))


def _calls(suffix: str, limits: Thresholds, more: str = "") -> str:
    """Of each caller to each component, a second."""
    names = "|".join(f"{metric.name}_{suffix}" for metric in (metrics.HTTP_CLIENT, metrics.DB_CLIENT, metrics.STREAM_CLIENT))
    selected = f'{{__name__=~"{names}",outcome=~"{_OUTCOMES}",messaging_operation_name=~"|publish"{more}}}'
    return f"sum by (component, peer) (rate({selected}{within(limits.rate_s)}))"


def _late(peers: str, limit: float, limits: Thresholds) -> str:
    """Share of calls above a limit, which is the bound of a bucket: above one half it is the median, at a tenth of the cost of one."""
    of = f'peer=~"{peers}"'
    within_limit = _calls("bucket", limits, f',{of},le="{limit:g}"')
    return f"1 - {within_limit} / {latest(f'{CALLS}{{{of}}}', limits)}"


def _caller_lag(limits: Thresholds) -> str:
    """How late the caller itself is: its fastest callee's answers, or the prober's where it has but one."""
    mean = latest(CALL_MEAN, limits)
    several = f"min by (component) ({mean}) and on (component) count by (component) ({mean}) > 1"
    return f"max by (component) (({several}) or on (component) {PROBE_MEDIAN})"


def _late_to_callers(limits: Thresholds) -> str:
    """Who has no time to read answers finds everybody slow: what counts is slow beside the caller's own lag."""
    beside = f"{latest(CALL_MEAN, limits)} > on (component) group_left () ({limits.caller_lags} * {latest(CALLER_LAG, limits)})"
    late = f"max by (peer) ({beside} and on (component, peer) {latest(LATE, limits)} > 0.5)"
    return f'label_replace({late}, "component", "$1", "peer", "(.+)")'


def _late_callees(components: str, limits: Thresholds) -> str:
    return latest(f'{LATE_TO_CALLERS}{{component=~"{components}"}}', limits)


def _itself(limits: Thresholds) -> str:
    late = f"max by (component) ({PROBE_MEDIAN} > {limits.probe_slow} or {_late_callees(_stores(), limits)})"
    return f"{late} unless on (component) {_unresponsive(limits)}"


def _to_callers(group: str, limits: Thresholds) -> str:
    calls = f"max by (component) ({_late_callees(named(group), limits)})"
    own = f"unless on (component) ({latest(SLOW_ITSELF, limits)} or {_unresponsive(limits)})"
    of = f'{{component=~"{named(*below(group))}"}}'
    trouble = " or ".join((latest(SLOW_ITSELF + of, limits), latest(SLOW_TO_CALLERS + of, limits), _unresponsive(limits, of)))
    return f"{calls} {own} unless on () ({trouble})" if below(group) else f"{calls} {own}"


def _unresponsive(limits: Thresholds, of: str = "") -> str:
    return f"last_over_time({UNRESPONSIVE}{of}{within(limits.settle_s)})"
