"""The open loop: every request leaves when it is due, whatever became of the ones before it."""

from __future__ import annotations

import gc
import itertools
from collections.abc import Callable
from dataclasses import dataclass

import gevent
from gevent.event import Event
from gevent.pool import Group, Pool

from loadgen import facts, history, latency, recording
from loadgen.exporter import Exporter
from loadgen.facts import Facts, StoppedBy
from loadgen.history import Completion, Invoke
from loadgen.loadclock import LoadClock
from loadgen.model import followups, outcomes
from loadgen.model.mix import Request
from loadgen.model.outcomes import Answer
from loadgen.plans import DRAIN_S
from loadgen.selfwatch import SelfWatch
from loadgen.session import Session
from loadgen.users import watchers
from reference_app.kit.files import LineWriter

OUTSTANDING_MAX = 1000
HURRIED_DRAIN_S = 1.0
"""Time for answers after a stop."""

Send = Callable[[Request], Answer]


@dataclass
class Tally:
    sent: int = 0
    dropped: int = 0
    retried: int = 0
    replayed: int = 0

    def count(self, request: Request) -> None:
        """One request leaves."""
        if request.replay:
            self.replayed += 1
        elif request.attempt > 1:
            self.retried += 1
        else:
            self.sent += 1


class OpenLoop:
    """One load from its first arrival to its files. `run` sends; `finish` may be called by anyone, more than once."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self._plan, self.clients, part, whole = session.plan, session.clients(), session.part, session.schedule()
        self._schedule = whole[part.index :: part.of]
        self._numbers = itertools.count(len(whole) + 1 + part.index, part.of)
        self._begun = False
        self._history = LineWriter(session.run_dir / history.FILE)
        self._clock = LoadClock.anchored(session.plan.t0)
        recorded = [phase for phase in self._plan.phases if phase.recorded]
        self._watch = SelfWatch(since=recorded[0].start, until=recorded[-1].end)
        self._tally, self._pool, self._later, self._watchers = Tally(), Pool(OUTSTANDING_MAX), Group(), Group()
        self._exporter = Exporter(lambda: len(self._pool))
        self._stopping, self._hurry = Event(), Event()
        self._closer: gevent.Greenlet | None = None

    def run(self, send: Send) -> bool:
        """Send the schedule; returns when the load has ended and its files are complete, or at once, and False, when somebody else sends it."""
        if self._begun:
            return False
        self._begun = True
        gc.collect()
        gc.freeze()  # the schedule lives to the end: collections need not look at it
        self._start_watchers()
        self._exporter.serve(self.session.lab.generator_ports[self.session.part.index])
        for request in self._schedule:
            if not self._wait_until(request.due):
                break
            self._dispatch(request, send)
        else:
            self._wait_until(self._plan.duration)
        self.finish("end")
        return True

    def finish(self, stopped_by: StoppedBy) -> None:
        """Stop sending, wait for what is outstanding, write the files. The first reason counts, a later one hurries it."""
        if stopped_by != "end":
            self._hurry.set()
        if self._closer is None:
            self._closer = gevent.spawn(self._close, stopped_by, self._clock.seconds())
        self._closer.join()

    def _start_watchers(self) -> None:
        self._watchers.spawn(watchers.heartbeat, self._watch, self._clock)
        self._watchers.spawn(watchers.processor, self._watch, self._clock)
        if self.session.leased:
            self._watchers.spawn(watchers.lease_lapse, self.session.home.chaos, self._plan.run_id, lambda: self.finish("lease"))

    def _wait_until(self, due: float) -> bool:
        """False when the load is stopped before that load second."""
        while (left := due - self._clock.seconds()) > 0:
            if self._stopping.wait(left):
                return False
        return not self._stopping.is_set()

    def _dispatch(self, request: Request, send: Send) -> None:
        if self._pool.full():
            self._tally.dropped += 1
            self._exporter.dropped()
        else:
            self._pool.spawn(self._fire, request, send).link_exception(self._lost)

    def _lost(self, _fired: gevent.Greenlet) -> None:
        """Of this one not everything could be written down."""
        self._tally.dropped += 1

    def _fire(self, request: Request, send: Send) -> None:
        sent = self._clock.seconds()
        self._history.write(self._invoke(request, sent))  # first: one of which nothing can be written does not leave, and is not counted
        self._watch.sent(request.due, lag_s=sent - request.due)
        self._tally.count(request)
        self._exporter.sent(sent - request.due, request.reaction)
        answer = send(request)
        done = self._clock.seconds()
        outcome = outcomes.classify(request.op, answer)
        self._history.write(self._completion(request, outcome, sent=sent, done=done, trace_id=answer.request_id))
        self._exporter.answered(request.op, outcome.type, done - request.due)
        self._follow_up(followups.next_request(request, outcome, self.clients, at=done, took_s=done - request.due), send)

    def _follow_up(self, request: Request | None, send: Send) -> None:
        if request is None or self._stopping.is_set() or request.due > self._plan.duration + DRAIN_S:
            return
        numbered = followups.numbered(request, next(self._numbers))
        self._later.add(gevent.spawn_later(max(0.0, request.due - self._clock.seconds()), self._dispatch, numbered, send))

    def _invoke(self, request: Request, sent: float) -> Invoke:
        return Invoke(
            n=request.n, op=request.op, user=request.user, due=round(request.due, 6), at=self._clock.unix(sent), key=request.key,
            text=request.text, target=request.target, attempt=request.attempt, replay=request.replay,
            intent=request.intent, reaction=request.reaction, timeout_s=self.clients.timeout_s,
        )  # fmt: skip

    def _completion(self, request: Request, outcome: outcomes.Outcome, *, sent: float, done: float, trace_id: str) -> Completion:
        return Completion(
            n=request.n, type=outcome.type, status=outcome.status, at=self._clock.unix(done), response_ms=_ms(done - request.due),
            service_ms=_ms(done - sent), lag_ms=_ms(sent - request.due), tweet_id=outcome.tweet_id, partial=outcome.partial,
            tweets=outcome.tweets, error=outcome.error, trace_id=trace_id,
        )  # fmt: skip

    def _close(self, stopped_by: StoppedBy, stopped_at: float) -> None:
        self._drain()
        self._stopping.set()
        for group in (self._later, self._pool, self._watchers):
            group.kill()
        self._history.close()
        facts.write(self.session.run_dir, self._facts(stopped_by, stopped_at), index=self.session.part.index, of=self.session.part.of)
        if not self.session.managed:
            recording.report_of(self.session.run_dir)
        self._exporter.close()

    def _drain(self) -> None:
        deadline = self._clock.seconds() + DRAIN_S
        while self._clock.seconds() < deadline and (self._pool or self._later):
            if self._hurry.wait(0.05):
                self._stopping.set()
                self._later.kill()
                self._pool.join(timeout=HURRIED_DRAIN_S)
                return

    def _facts(self, stopped_by: StoppedBy, stopped_at: float) -> Facts:
        watch, tally = self._watch, self._tally
        return Facts(
            run_id=self._plan.run_id, planned=len(self._schedule), sent=tally.sent, dropped=tally.dropped, retried=tally.retried,
            replayed=tally.replayed, lag_p99_ms=watch.lag_p99_ms, cpu_mean=watch.cpu_mean, cpu_peak=watch.cpu_peak,
            stalls=watch.stalls, longest_stall_ms=round(watch.longest_stall_ms, 1), stopped_by=stopped_by,
            stopped_at=round(stopped_at, 3), pauses=watch.pauses, cpu_wait_peak=watch.cpu_wait_peak, clock_step_s=round(watch.clock_step_s, 3),
            lags=latency.encoded(watch.lags_ms),
        )  # fmt: skip


def _ms(seconds: float) -> float:
    return round(seconds * 1000, 3)
