"""Waits until a running lab is as it was before a drill: asks its components, Prometheus and, last, its caches by reading pages."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from chaos import backlog, settled, undo
from chaos.probes import pages
from chaos.settled import Burn, Readings, Replica
from dashboards.rules import model, windows
from reference_app.contract import metrics
from reference_app.kit.home import Home
from reference_app.query import slo
from reference_app.query.prometheus import Prometheus, PrometheusUnreachableError
from reference_app.stack.control import Control

PAGES = 5
"""Few enough not to count as traffic for the alert on hit rates, which would see them end."""
SCRAPED_S = 1.5
"""So long after something was counted Prometheus knows it: it scrapes each second."""
LOOK_EVERY_S = 1.0
HISTORY_S = 30.0
"""Burn alerts need a minute of history, of which the load of a drill with short phases brings the rest before its fault."""
NO_HISTORY = "the alerts of objectives have no history yet"
_LONGEST, _SHORTEST = (model.duration(seconds) for seconds in (windows.LAB.lengths_s[-1], windows.LAB.lengths_s[0]))


@dataclass(frozen=True)
class Settled:
    """How long it took, what is still not as it was (empty: everything is), and the hit rates that were seen, by cache."""

    waited_s: float
    unmet: tuple[str, ...] = ()
    hit_rates: dict[str, float] = field(default_factory=dict)


def settle(home: Home, *, before: Mapping[str, float], limit_s: float, say: Callable[[str], None]) -> Settled:
    """Wait for everything, at most `limit_s` seconds. `before` are hit rates of the warm lab; without them the caches are only measured."""
    began, told = time.monotonic(), ""
    while True:
        unmet, hit_rates = _look(home, before)
        waited = round(time.monotonic() - began, 1)
        if not unmet or waited >= limit_s:
            return Settled(waited, tuple(unmet), hit_rates)
        if unmet[0] != told:
            told = unmet[0]
            say(f"waiting: {told}{f', and {len(unmet) - 1} more' if len(unmet) > 1 else ''}")
        time.sleep(LOOK_EVERY_S)


def _look(home: Home, before: Mapping[str, float]) -> tuple[list[str], dict[str, float]]:
    """What is not as it was, and the hit rates if it came to measuring them: that costs reads, so all else has to be well first."""
    prometheus = Prometheus(home.lab().prometheus_url)
    try:
        readings = _readings(home, prometheus)
        if unmet := settled.unmet(readings, before=before):
            return unmet, {}
        if not _objectives_counted(prometheus, time.time() - HISTORY_S):
            if not _objectives_counted(prometheus, time.time()):
                pages.complete_page_share(PAGES)
            return [NO_HISTORY], {}
        complete, hit_rates = _read_pages(prometheus)
    except PrometheusUnreachableError:
        return ["Prometheus does not answer"], {}
    return settled.unmet(replace(readings, complete=complete, hit_rates=hit_rates), before=before), hit_rates


def _readings(home: Home, prometheus: Prometheus) -> Readings:
    """What can be seen without touching anything."""
    return Readings(
        silent=Control(home).unanswered(),
        in_force=(*(record.fault.kind for record in undo.pending(home)), *(record.path.name for record in undo.unreadable(home))),
        alerts=tuple(sorted(_alerts(prometheus))),
        queues={name: sum(sample.value for sample in prometheus.instant(metric.name)) for metric, name in backlog.QUEUES.items()},
        burns=tuple(_burns(prometheus)),
        replicas=tuple(_replicas(prometheus)),
        not_semi_synchronous=tuple(s.labels["component"] for s in prometheus.instant(metrics.SEMI_SYNC_ON.name) if not s.value),
    )


def _alerts(prometheus: Prometheus) -> Iterator[str]:
    for alert in prometheus.active_alerts():
        yield f"{alert.name} ({alert.labels.get('slo') or alert.labels.get('component', '')}, {alert.state})"


def _burns(prometheus: Prometheus) -> Iterator[Burn]:
    """Windows without traffic have no share."""
    limits = {(one.name, pair): windows.bad_share(pair, one.objective) for one in slo.read() for pair in windows.LAB.pairs}
    for seconds in windows.LAB.lengths_s:
        shares = {s.labels["slo"]: s.value for s in prometheus.instant(f"slo:bad:ratio{model.duration(seconds)}")}
        for (name, pair), limit in limits.items():
            if name in shares and seconds in (pair.long_s, pair.short_s):
                yield Burn(name, seconds, shares[name], limit)


def _objectives_counted(prometheus: Prometheus, at: float) -> bool:
    """Whether an objective had its longest window then: none has one before the first request, and it is of zero when nobody asks any more."""
    return bool(prometheus.instant(f"count_over_time(slo:total:increase{_LONGEST}[{_SHORTEST}])", at))


def _replicas(prometheus: Prometheus) -> Iterator[Replica]:
    lags = {sample.labels["component"]: sample.value for sample in prometheus.instant(metrics.REPLICATION_LAG.name)}
    for sample in prometheus.instant(metrics.REPLICATION_RUNNING.name):
        component = sample.labels["component"]
        yield Replica(component, bool(sample.value), lags.get(component))


def _read_pages(prometheus: Prometheus) -> tuple[float, dict[str, float]]:
    """(share of complete pages, hit rates) of the same pages read twice: first to fill the caches, then to see whether they keep and serve."""
    pages.complete_page_share(PAGES)
    time.sleep(SCRAPED_S)
    began = time.time()
    complete = pages.complete_page_share(PAGES)
    time.sleep(SCRAPED_S)
    return complete, _hit_rates(prometheus, began, time.time())


def _hit_rates(prometheus: Prometheus, began: float, ended: float) -> dict[str, float]:
    """Of tweets by item, of home timelines by page: one that had to be rebuilt was a miss."""
    hits, misses = (prometheus.increase(f'{metrics.CACHE_READS.name}{{result="{result}"}}', began, ended) for result in ("hit", "miss"))
    rebuilt = prometheus.increase(metrics.REBUILDS.name, began, ended)
    tweets = {"tweet": hits / (hits + misses)} if hits + misses else {}
    return tweets | {"timeline": max(0.0, 1 - rebuilt / PAGES)}
