"""Shards, caches, the stream and the outbox: what state they are in, and how it went in the last five minutes. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from dashboards.console.draw import markup, plot, units
from dashboards.console.draw.plot import Frame, Line, Plot
from dashboards.console.draw.red import latest, summed
from dashboards.console.draw.topology_map import GLYPHS
from dashboards.console.lab import states
from dashboards.console.lab.sight import Signals
from dashboards.console.lab.states import Health
from reference_app.contract import metrics
from reference_app.contract.metrics import Metric
from reference_app.query.prometheus import Points, Sample, Series


@dataclass(frozen=True)
class Shard:
    """A database: its primary and, where it has one, its replica. `lag` in seconds."""

    name: str
    members: tuple[Health, ...]
    replicated: bool
    replicating: bool | None
    lag: float | None
    semi_sync: bool | None
    chart: Plot


@dataclass(frozen=True)
class Cache:
    """A Redis. `hits` is the share of its look-ups that hit, None when nothing was looked up."""

    health: Health
    hits: float | None
    reads: float | None
    evictions: float | None
    chart: Plot


@dataclass(frozen=True)
class Backlog:
    """What waits somewhere."""

    name: str
    what: str
    waiting: float | None
    chart: Plot


def shards(healths: Mapping[str, Health], signals: Signals, frame: Frame) -> list[Shard]:
    """Every database shard."""
    members: dict[str, list[Health]] = {}
    for health in healths.values():
        if health.component.kind == "mariadb":
            members.setdefault(health.component.shard, []).append(health)
    return [_shard(name, tuple(found), signals, frame) for name, found in members.items()]


def caches(healths: Mapping[str, Health], signals: Signals, frame: Frame) -> list[Cache]:
    """Every Redis."""
    return [_cache(health, signals.caches, frame) for health in healths.values() if health.component.kind == "redis"]


def backlogs(signals: Signals, frame: Frame) -> list[Backlog]:
    """Consumers of the stream, then outboxes, then changes that the counters do not have yet."""
    pending = _by(signals.levels, metrics.STREAM_PENDING, "consumer")
    unpublished = _by(signals.levels, metrics.OUTBOX_UNPUBLISHED, "shard")
    ages = _by(signals.levels, metrics.OUTBOX_OLDEST, "shard")
    uncounted = _by(signals.levels, metrics.COUNTS_BEHIND, "shard")
    return [
        *(_backlog(name, "messages not taken yet", points, frame) for name, points in pending.items()),
        *(_backlog(f"outbox {name}", _unpublished(ages.get(name, []), frame), points, frame) for name, points in unpublished.items()),
        *(_backlog(f"counts {name}", "likes and retweets not counted yet", points, frame) for name, points in uncounted.items()),
    ]


def html(healths: Mapping[str, Health], signals: Signals, frame: Frame) -> str:
    """All three as markup."""
    return markup.render(
        "stores", shards=shards(healths, signals, frame), caches=caches(healths, signals, frame), backlogs=backlogs(signals, frame),
        glyphs=GLYPHS, meanings=states.MEANINGS,
    )  # fmt: skip


def _shard(name: str, members: tuple[Health, ...], signals: Signals, frame: Frame) -> Shard:
    lag = next(iter(_by(signals.levels, metrics.REPLICATION_LAG, "shard", name).values()), [])
    line = Line("lag", "fw-level", lag, "s")
    return Shard(
        name=name, members=members, replicated=any(health.component.role == "replica" for health in members),
        replicating=_flag(signals.state, metrics.REPLICATION_RUNNING, name), lag=latest(lag, frame),
        semi_sync=_flag(signals.state, metrics.SEMI_SYNC_ON, name),
        chart=plot.plot(f"{name}: replication lag", [line], frame, plot.from_zero([line])),
    )  # fmt: skip


def _flag(samples: Iterable[Sample], metric: Metric, shard: str) -> bool | None:
    value = states.values(samples, metric, "shard").get(shard)
    return None if value is None else bool(value)


def _cache(health: Health, series: Sequence[Series], frame: Frame) -> Cache:
    own = {one.labels.get("what"): one.points for one in series if one.labels.get("component") == health.component.name}
    reads = summed([Series({}, own.get("hits", [])), Series({}, own.get("misses", []))])
    ratio = _ratio(own.get("hits", []), reads)
    chart = plot.plot(f"{health.component.name}: hit rate", [Line("hits", "fw-level", ratio, "%", 100)], frame, plot.WHOLE, top="100 %")
    return Cache(health, latest(ratio, frame), latest(reads, frame), latest(own.get("evictions", []), frame), chart)


def _ratio(part: Points, whole: Points) -> Points:
    counted = dict(part)
    return [(at, counted.get(at, 0) / value) for at, value in whole if value]


def _unpublished(ages: Points, frame: Frame) -> str:
    age_s = latest(ages, frame)
    return f"rows not published yet, the oldest for {units.seconds(age_s)}" if age_s else "rows not published yet"


def _backlog(name: str, what: str, points: Points, frame: Frame) -> Backlog:
    line = Line("waiting", "fw-level", points, "", filled=True)
    return Backlog(name, what, latest(points, frame), plot.plot(f"{name}: {what}", [line], frame, plot.from_zero([line], least=10)))


def _by(series: Sequence[Series], metric: Metric, label: str, only: str | None = None) -> dict[str, Points]:
    """Points by the value of a label; where several processes tell the same, the highest counts."""
    found: dict[str, dict[float, float]] = {}
    for one in series:
        name = one.labels.get(label, "")
        if one.labels.get("__name__") == metric.name and only in (None, name):
            values = found.setdefault(name, {})
            values.update({at: max(value, values.get(at, value)) for at, value in one.points})
    return {name: sorted(values.items()) for name, values in sorted(found.items())}
