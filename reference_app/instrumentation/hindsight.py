"""Edge cases, and what is kept because of them: a trace in which something failed, was slow or was refused is put together afterwards.

Retroactive sampling after Zhang et al., "The Benefit of Hindsight: Tracing Edge-Cases in Distributed Systems", NSDI'23 (docs/adr/0013). The first
process that sees an edge case wants its trace and tells all others (instrumentation/announcing.py); each exports what it has noted of it, and
what ends later.
"""

from __future__ import annotations

import collections
import time
from collections.abc import Callable
from typing import Protocol

from reference_app.contract import metrics
from reference_app.contract.profile import LAB, Profile
from reference_app.contract.spans import EdgeCase, Reason
from reference_app.instrumentation.spans import CONTEXT, END, Note, Ring, of_traces

WANTED_SECONDS = 10.0
"""How long what ends later still belongs to a trace that is wanted."""


class Count(Protocol):
    """`Recorder.count`."""

    def __call__(self, metric: metrics.Metric, *labels: str, by: float = 1) -> None: ...


class Wanted:
    """The traces that this process exports, wanted by itself or by others. Used by the event loop; `asked` is emptied by the exporter's thread."""

    def __init__(self, count: Count, *, profile: Profile = LAB, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._count, self._monotonic = count, monotonic
        self._rate, self._burst = profile.edge_cases_rate, profile.edge_cases_burst
        self._tokens, self._filled_at = float(self._burst), monotonic()
        self._until: collections.OrderedDict[str, float] = collections.OrderedDict()
        self.enabled = True
        self.asked: collections.deque[EdgeCase] = collections.deque()
        self._unannounced: list[EdgeCase] = []

    def seen(self, trace_id: str, reason: Reason, began_ns: int) -> str:
        """This process has met an edge case; `began_ns` is the earliest moment that it knows of the trace. The trace id, if the trace is kept."""
        if trace_id in self._until:
            return trace_id
        if not self._affordable():
            self._count(metrics.EDGE_CASES, reason, "dropped")
            return ""
        case = EdgeCase(trace_id, reason, began_ns)
        self._unannounced.append(case)
        self._want(case)
        return trace_id

    def announced(self, case: EdgeCase) -> None:
        """Another process has met an edge case."""
        if self.enabled and case.trace_id not in self._until:
            self._count(metrics.EDGE_CASES, case.reason, "received")
            self._want(case)

    def forget_old(self) -> None:
        """What was wanted for long enough may be wanted anew."""
        now = self._monotonic()
        while self._until and next(iter(self._until.values())) <= now:
            self._until.popitem(last=False)

    def take_unannounced(self) -> list[EdgeCase]:
        """What others have to be told."""
        taken, self._unannounced = self._unannounced, []
        return taken

    def _want(self, case: EdgeCase) -> None:
        self._until[case.trace_id] = self._monotonic() + WANTED_SECONDS
        self.asked.append(case)

    def _affordable(self) -> bool:
        now = self._monotonic()
        self._tokens = min(self._burst, self._tokens + (now - self._filled_at) * self._rate)
        self._filled_at = now
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True


class Retrospect:
    """Finds in the ring what is to be exported. Used by the exporter's thread alone."""

    def __init__(
        self, ring: Ring, wanted: Wanted, *, count: Count, gauge: Callable[[metrics.Metric, float], None],
        monotonic: Callable[[], float] = time.monotonic, time_ns: Callable[[], int] = time.time_ns,
    ) -> None:  # fmt: skip
        self._ring, self._wanted, self._count, self._gauge = ring, wanted, count, gauge
        self._monotonic, self._time_ns = monotonic, time_ns
        self._until: dict[str, float] = {}
        self._reasons: dict[str, Reason] = {}

    def due(self) -> list[tuple[Note, Reason]]:
        """Notes of traces that are wanted since the last call, and new ones of those wanted before; each is found once."""
        asked = [self._wanted.asked.popleft() for _ in range(len(self._wanted.asked))]
        notes, seen = self._ring.since()
        self._measure(notes, seen, asked)
        now = self._monotonic()
        self._drop_expired(now)
        fresh = {case.trace_id: case.reason for case in asked if case.trace_id not in self._reasons}
        self._reasons |= fresh
        self._until |= dict.fromkeys(fresh, now + WANTED_SECONDS)
        found = of_traces(notes[:seen], fresh) + of_traces(notes[seen:], self._reasons)
        self._count(metrics.HINDSIGHT_NOTES, "exported", by=len(found))
        return [(note, self._reasons[note[CONTEXT].trace_id]) for note in found]

    def _measure(self, notes: list[Note], seen: int, asked: list[EdgeCase]) -> None:
        self._count(metrics.HINDSIGHT_NOTES, "noted", by=len(notes) - seen)
        if not notes:
            return
        oldest_ns = notes[0][END]
        self._gauge(metrics.HINDSIGHT_REACH, (self._time_ns() - oldest_ns) / 1e9)
        for case in asked:
            if self._ring.full and case.began_ns < oldest_ns:
                self._count(metrics.EDGE_CASES, case.reason, "overwritten")

    def _drop_expired(self, now: float) -> None:
        for trace_id in [trace_id for trace_id, until in self._until.items() if until <= now]:
            del self._until[trace_id], self._reasons[trace_id]
