"""Looks at the lab: files of its home, its Prometheus, and its processes when that is silent. Shared by all sessions of the console."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor

from chaos import injections, status
from dashboards.console import data
from dashboards.console.lab import signals
from dashboards.console.lab.sight import Band, Setting, Sight, Signals, Trouble
from dashboards.console.lab.windows import Window
from postmortems import timeline
from reference_app.contract.topology import Lab
from reference_app.kit import changes, deciders, lease
from reference_app.kit.home import Home, NoLabError
from reference_app.query.prometheus import Prometheus, PrometheusUnreachableError, QueryRefusedError
from reference_app.stack.control import Control, State

FRESH_S = 0.9
"""Several panels and sessions that ask within this time see the same."""
WAIT_S = 0.5
"""For a look that is under way; after that the one before is shown, so that no page stands still while Prometheus is paused."""
PATIENCE_S = 2.0
"""For an answer of Prometheus."""
RECENT_RUNS = 3
"""As many of the newest runs may have a fault that a chart still shows."""


class Watch:
    """One lab's observer. Instances may be shared by threads."""

    def __init__(self, home: Home, *, clock: Callable[[], float] = time.time) -> None:
        self._home, self._clock = home, clock
        self._lock, self._looking = threading.Lock(), ThreadPoolExecutor(1, "watch")
        self._reader: Reader | None = None
        self._last: Sight | None = None
        self._pending: Future[Sight] | None = None
        self._fresh_until, self._forgotten = -math.inf, 0

    def look(self) -> Sight:
        """What is known now, or was a moment ago. Never raises for a lab that is away, down or silent: the sight says so."""
        with self._lock:
            last = self._last
            if last is not None and self._pending is None and self._clock() < self._fresh_until:
                return last
            pending = self._pending = self._pending or self._looking.submit(self._look, self._forgotten)
        try:
            return pending.result(None if last is None else WAIT_S)
        except TimeoutError:
            return last or pending.result()

    def forget(self) -> None:
        """Something was done to the lab: whoever asks next gets a look that begins after this."""
        with self._lock:
            self._last = self._pending = None
            self._forgotten += 1

    def _look(self, forgotten: int) -> Sight:
        sight = None
        try:
            sight = self._seen(self._clock())
            return sight
        finally:
            with self._lock:
                if forgotten == self._forgotten:
                    self._last, self._pending, self._fresh_until = sight, None, self._clock() + FRESH_S

    def _seen(self, now: float) -> Sight:
        try:
            lab = self._home.lab()
        except NoLabError:
            return Sight(now, trouble=Trouble("no-lab", f"There is no lab in `{self._home.path}` yet.", "failwhale up"))
        chaos, held = status.read(self._home), lease.read(self._home.chaos)
        told, trouble, processes = self._told(lab, now)
        return Sight(
            at=now, lab=lab, signals=told, trouble=trouble, processes=processes, active=chaos.active,
            halted=chaos.reason or "no reason was given" if chaos.halted else None,
            held=held.run_id if held is not None and lease.alive(held, now=now) else None,
            bands=tuple(_bands(self._home, since=now - signals.SPAN_S, pending={active.run_id for active in chaos.active})),
            changes=tuple(changes.between(self._home, now - signals.SPAN_S, now)),
            settings=tuple(_settings(self._home)),
        )  # fmt: skip

    def _told(self, lab: Lab, now: float) -> tuple[Signals | None, Trouble | None, dict[str, State]]:
        if self._reader is None or not self._reader.reads(lab):
            self._reader = Reader(lab)
        try:
            return self._reader.read(now), None, {}
        except (PrometheusUnreachableError, QueryRefusedError) as error:
            processes = {process.name: process.state for process in Control(self._home).states()}
            return None, _trouble(error, processes), processes


class Reader:
    """Everything that is asked of one lab's Prometheus, with what it told before."""

    def __init__(self, lab: Lab) -> None:
        self._lab = lab
        self._prometheus = Prometheus(lab.prometheus_url, PATIENCE_S)
        self._levels, self._requests, self._latency, self._caches, self._outcomes, self._burns = (
            Window(query) for query in (signals.LEVELS, signals.REQUESTS, signals.LATENCY, signals.CACHES, signals.OUTCOMES, signals.BURNS)
        )

    def reads(self, lab: Lab) -> bool:
        """False for a lab that was laid out anew: what this one told is no past of it."""
        return lab == self._lab

    def read(self, now: float) -> Signals:
        """Ask everything once. Raises PrometheusUnreachableError at the first question that is not answered, and QueryRefusedError."""
        end, prometheus = math.floor(now), self._prometheus
        return Signals(
            state=prometheus.instant(signals.STATE), levels=self._levels.read(prometheus, end),
            requests=self._requests.read(prometheus, end), latency=self._latency.read(prometheus, end),
            caches=self._caches.read(prometheus, end), outcomes=self._outcomes.read(prometheus, end),
            burns=self._burns.read(prometheus, end), spent=prometheus.instant(signals.SPENT),
            alerts=prometheus.active_alerts(),
        )  # fmt: skip


def _trouble(error: Exception, processes: Mapping[str, State]) -> Trouble:
    if not any(state in ("running", "starting", "paused") for state in processes.values()):
        return Trouble("down", "The lab is down: none of its processes runs.", "failwhale up")
    state = processes.get("prometheus", "missing")
    return Trouble("dark", f"There are no measurements (the process of Prometheus: {state}). {error}", "failwhale up")


def _bands(home: Home, *, since: float, pending: set[str]) -> Iterator[Band]:
    """Faults of the newest runs, as far as they were in force after `since`. A run that wrote no end and has nothing pending ended by then."""
    for run_dir in sorted(home.runs.glob("*"), reverse=True)[:RECENT_RUNS]:
        recorded = data.happened(run_dir)
        start, end = timeline.fault_span(recorded)
        applied = [each.applied for each in injections.of(recorded)]
        if start is None or not applied:
            continue
        if end is None and run_dir.name not in pending:
            end = recorded[-1].at
        if end is None or end >= since:
            yield Band(applied[0].fault, tuple(name for event in applied for name in event.components), start, end)


def _settings(home: Home) -> Iterator[Setting]:
    for name, value in deciders.read(home.deciders_file).items():
        decider = deciders.DECIDERS.get(name)
        if decider is not None and value != decider.default:
            yield Setting(name, value, decider.default, decider.meaning)
