"""Did a fault reach traffic? Counted where it hurts: at the callers of what was hit, at users, in what could not be recorded, by the fault itself."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, fields

from chaos import delays
from chaos.injections import Injection
from loadgen.history import Operation
from reference_app.contract import metrics
from reference_app.contract.plan import Plan
from reference_app.contract.topology import Component, Lab
from reference_app.query.prometheus import Prometheus

_UNAFFECTED = "ok|duplicate|4xx"
_CLIENTS = (metrics.DB_CLIENT, metrics.HTTP_CLIENT, metrics.STREAM_CLIENT)
_LOST = metrics.ROWS_MISSING
"""Whoever lost rows answers as if nothing were wrong: what was asked for in vain was affected."""
_EDGE = (metrics.EDGE_REDISPATCHES, metrics.EDGE_CONNECTION_ERRORS, metrics.EDGE_RESPONSE_ERRORS)
"""A failed attempt of the edge is in one of them: sent on to another gateway, or given up before or after it was sent."""
_OWN_COUNTS = ("affected_operations", "statements_given_up", "transactions_behind")
"""Operations that a fault counted itself."""
_OWN_TRAFFIC = ("packets", "delayed", "ended")
"""What a fault counted on the wire, a probe's questions too (but those that `syn_drop` let hang): not more than the app's own calls."""
_ENTRANCES = ("edge", "gateway")


@dataclass(frozen=True)
class Window:
    """When a fault was in force, and when nothing was broken under the same load. Unix seconds."""

    start: float
    end: float
    before_start: float
    before_end: float

    @property
    def ratio(self) -> float:
        """Of their lengths; 0 when there was no time before."""
        before = self.before_end - self.before_start
        return (self.end - self.start) / before if before > 0 else 0.0


@dataclass(frozen=True)
class Affected:
    """Operations that a fault affected, by how. `slow` took longer than the delay that the fault declares, beyond those that did before it;
    `waiting` are events that nobody took, the stream included.
    """

    failed: int = 0
    slow: int = 0
    missed: int = 0
    waiting: int = 0
    users: int = 0
    unrecorded: int = 0
    counted_itself: int = 0

    @property
    def total(self) -> int:
        """What the fault counted itself may be the same operations."""
        return max(self.failed + self.slow + self.missed + self.waiting + self.users + self.unrecorded, self.counted_itself)

    @property
    def told(self) -> dict[str, int]:
        """What is not zero."""
        return {field.name: value for field in fields(self) if (value := getattr(self, field.name))}


def window(injection: Injection, plan: Plan, *, now: float) -> Window:
    """Of one fault of a run; what is in force still is so until `now`."""
    before = plan.phase("before")
    start = injection.applied.at
    end = injection.undone.at if injection.undone else now
    return Window(start, end, plan.t0 + before.start, min(start, plan.t0 + before.end))


def affected(
    prometheus: Prometheus, lab: Lab, injection: Injection, within: Window, *, users: Callable[[], Iterable[Operation]]
) -> Affected:
    """What one fault did to traffic. `users` reads the load's history. Raises PrometheusUnreachableError."""
    hit = [component for component in lab.components if component.name in injection.applied.components]
    peers = _peers(lab, hit) if injection.applied.components else ".+"
    delay = delays.declared(injection.applied.fault, injection.applied.detail.get("parameters", {}))
    entered = any(component.group in _ENTRANCES for component in hit)
    return Affected(
        failed=_failed(prometheus, peers, within),
        slow=_slow(prometheus, peers, within, delay) if delay is not None else 0,
        missed=_missed(prometheus, [component.name for component in hit if component.kind == "redis"], within),
        waiting=_waiting(prometheus, hit, within),
        users=_of_users(users(), within, delay) if entered else 0,
        unrecorded=sum(_unrecorded(prometheus, component, within) for component in hit if component.tool),
        counted_itself=_by_itself(prometheus, peers, injection, within),
    )


def _peers(lab: Lab, hit: Sequence[Component]) -> str:
    """As callers name them: whatever is done to a replica, its primary waits for it."""
    shards = {component.shard for component in hit if component.role == "replica"}
    names = [component.name for component in lab.components if component in hit or (component.paired and component.shard in shards)]
    return "|".join(names) or "-"


def _calls(suffix: str, *matchers: str) -> str:
    names = "|".join(f"{metric.name}_{suffix}" for metric in _CLIENTS)
    return f'{{__name__=~"{names}",{",".join(matchers)}}}'


def _failed(prometheus: Prometheus, peers: str, within: Window) -> int:
    """Calls that failed or were not even tried."""
    calls = _calls("count", f'peer=~"{peers}"', f'outcome!~"{_UNAFFECTED}"')
    attempts = (f'{metric.name}{{server=~"{peers}"}}' for metric in _EDGE)
    lost = f'{_LOST.name}{{peer=~"{peers}"}}'
    return round(sum(prometheus.increase(selector, within.start, within.end) for selector in (calls, *attempts, lost)))


def _slow(prometheus: Prometheus, peers: str, within: Window, delay_s: float) -> int:
    of = (f'peer=~"{peers}"', f'outcome=~"{_UNAFFECTED}"')
    every, quick = _calls("count", *of), _calls("bucket", *of, f'le="{delays.bucket(delay_s)}"')
    return _beyond_before(prometheus, within, whole=every, part=lambda start, end: _rest(prometheus, every, quick, start, end))


def _rest(prometheus: Prometheus, every: str, quick: str, start: float, end: float) -> float:
    return prometheus.increase(every, start, end) - prometheus.increase(quick, start, end)


def _missed(prometheus: Prometheus, caches: Sequence[str], within: Window) -> int:
    """Look-ups in vain, beyond the share of before: of a cache that was emptied, or that forgets too soon."""
    if not caches:
        return 0
    of = f'component=~"{"|".join(caches)}"'
    both, misses = f'{{__name__=~"{metrics.CACHE_HITS.name}|{metrics.CACHE_MISSES.name}",{of}}}', f"{metrics.CACHE_MISSES.name}{{{of}}}"
    return _beyond_before(prometheus, within, whole=both, part=lambda start, end: prometheus.increase(misses, start, end))


def _waiting(prometheus: Prometheus, hit: Sequence[Component], within: Window) -> int:
    """The longest queue of who is called by nobody and takes its work from the stream, or of what the stream itself does not take, beyond that of before."""
    groups = "|".join(sorted({component.group for component in hit}))
    queues = [f'{{__name__=~"{metrics.STREAM_PENDING.name}|{metrics.STREAM_UNACKNOWLEDGED.name}",consumer=~"{groups}"}}'] if hit else []
    if any(component.kind == "nats" for component in hit):
        queues.append(metrics.OUTBOX_UNPUBLISHED.name)
    return sum(_longer(prometheus, queue, within) for queue in queues)


def _longer(prometheus: Prometheus, queue: str, within: Window) -> int:
    before, during = (
        sum(max((value for _, value in series.points), default=0.0) for series in prometheus.raw(queue, *span))
        for span in ((within.before_start, within.before_end), (within.start, within.end))
    )
    return max(0, round(during - before))


def _beyond_before(prometheus: Prometheus, within: Window, *, whole: str, part: Callable[[float, float], float]) -> int:
    """How many more there were than the share of before lets expect."""
    before, during = (prometheus.increase(whole, *span) for span in ((within.before_start, within.before_end), (within.start, within.end)))
    share = part(within.before_start, within.before_end) / before if before else 0.0
    return max(0, round(part(within.start, within.end) - share * during))


def _of_users(operations: Iterable[Operation], within: Window, delay_s: float | None) -> int:
    """Requests that failed or came late, of those that were sent while the fault was in force."""
    sent = (operation for operation in operations if within.start <= operation.invoked_at < within.end)
    return sum(operation.type != "ok" or _late(operation, delay_s) for operation in sent)


def _late(operation: Operation, delay_s: float | None) -> bool:
    return delay_s is not None and operation.response_ms is not None and operation.response_ms > 1000 * delay_s


def _unrecorded(prometheus: Prometheus, tool: Component, within: Window) -> int:
    """What observability did not record: samples that are not there, spans that nobody took, alerts that nobody was told of."""
    match tool.kind:
        case "prometheus":
            return _gap(prometheus, "up", within)
        case "prober":
            return _gap(prometheus, metrics.COMPONENT_UP.name, within)
        case "collector":
            names = f"{metrics.SPANS_EXPORTED.name}|{metrics.SPANS_PROCESSED.name}"
            return round(prometheus.increase(f'{{__name__=~"{names}",error_type!=""}}', within.start, within.end))
        case "alertmanager":
            return round(prometheus.increase(metrics.NOTIFICATIONS_FAILED.name, within.start, within.end))
        case _:
            return 0


def _gap(prometheus: Prometheus, selector: str, within: Window) -> int:
    before, during = (
        sum(len(series.points) for series in prometheus.raw(selector, *span))
        for span in ((within.before_start, within.before_end), (within.start, within.end))
    )
    return max(0, round(before * within.ratio - during))


def _by_itself(prometheus: Prometheus, peers: str, injection: Injection, within: Window) -> int:
    counted = sum(float(injection.measured.get(name, 0)) for name in _OWN_COUNTS)
    seen = sum(float(injection.measured.get(name, 0)) for name in _OWN_TRAFFIC)
    calls = prometheus.increase(_calls("count", f'peer=~"{peers}"'), within.start, within.end) if seen else 0.0
    return round(counted + min(seen, calls))
