"""Watches a run while it acts: takes a sample of its damage and of the machine each second, and says when a guard ends it.

A thread of the drill. What it cannot see it leaves out; whoever owns the run asks it and takes everything back. It also sees to it that
the lab has a reaper for as long as the run may leave something in force.
"""

from __future__ import annotations

import asyncio
import logging
import random
import threading
import time
from collections import defaultdict
from collections.abc import Callable

from chaos import events, guards, halt, host, journal, reaper, undo
from chaos.audit import databases
from chaos.catalogue import Extension
from chaos.damage import Damage
from chaos.guards import Sample, Trip
from chaos.session import Session
from loadgen import history
from reference_app.contract import ids
from reference_app.contract.plan import Plan
from reference_app.contract.topology import Lab
from reference_app.kit import files

logger = logging.getLogger(__name__)

PERIOD_S, ASK_EVERY = 1.0, 3
"""The databases are asked at every third look, and at once again when they lacked something."""
NEWEST, ANY = 25, 25
"""Acknowledged posts that are asked for: the newest, and as many of all."""


class Watch(threading.Thread):
    """`runner_gone` tells whether the toolkit ended. A run without a plan has no load: its damage is not known."""

    def __init__(
        self, run: Session, extension: Extension, *, runner_gone: Callable[[], bool],
        clock: Callable[[], float] = time.time, period_s: float = PERIOD_S,
    ) -> None:  # fmt: skip
        super().__init__(name=f"guards-{run.run_id}", daemon=True)
        self._run, self._limits, self._runner_gone, self._clock = run, extension.safety.guards, runner_gone, clock
        self._period_s, plan = period_s, run.plan()
        self._harm_allowed_s = _harm_allowed(extension, plan)
        self._damage = Damage(plan) if plan else None
        self._posts = _Posts(plan.seed if plan else 0)
        self._history = files.Tail(run.run_dir / history.FILE)
        self._ended = threading.Event()
        self._reason = ""

    @property
    def reason(self) -> str:
        """Why the run must end now, in a sentence; empty while it may go on."""
        return self._reason

    def run(self) -> None:
        while not self._reason and not self._ended.wait(self._period_s):
            self._reason = self._halted() or self._look()

    def stop(self) -> None:
        """End after the look under way; no error when it was not started."""
        self._ended.set()
        if self.ident is not None:
            self.join()

    def _halted(self) -> str:
        halted = halt.read(self._run.home.chaos)
        if halted is None:
            return ""
        if events.first(events.read(self._run.run_dir), "halted") is None:  # the action that holds the fault may have said so
            events.write_if_possible(self._run.run_dir, "halted", clock=self._clock, reason=f"chaos is halted: {halted.reason}")
        return f"chaos is halted: {halted.reason}"

    def _look(self) -> str:
        try:
            if undo.pending(self._run.home):
                reaper.ensure(self._run.home)
            trip = guards.tripped(self._sample(), self._limits, harm_allowed_s=self._harm_allowed_s)
        except Exception as error:
            logger.exception("a look of the guards of run %s failed", self._run.run_id)
            trip = Trip("blind", 1, 0, f"nobody could look after the run: {type(error).__name__}: {error}")
        return self._ended_by(trip) if trip else ""

    def _sample(self) -> Sample:
        home = self._run.home
        return Sample(
            harmed_s=self._harmed_s(), unreadable_posts=self._unreadable_posts(), abandoned=self._abandoned(),
            stalled_percent=host.stalled_percent(), free_memory_mib=host.free_memory_mib(), free_disk_mib=host.free_disk_mib(home.path),
        )  # fmt: skip

    def _harmed_s(self) -> float | None:
        if self._damage is None:
            return None
        self._damage.take(history.parse(self._history.read()))
        return self._damage.harmed_s

    def _unreadable_posts(self) -> int | None:
        if self._damage is None or self._limits.unreadable_posts is None:
            return None
        return self._posts.unreadable(self._run.home.lab(), self._damage.acknowledged)

    def _abandoned(self) -> tuple[str, ...]:
        """A toolkit that ends takes its faults back before, and writes its journal."""
        if not self._runner_gone() or journal.path(self._run.run_dir).exists():
            return ()
        return tuple(r.fault.kind for r in undo.pending(self._run.home) if r.run_id == self._run.run_id and not r.whole_run)

    def _ended_by(self, trip: Trip) -> str:
        events.write_if_possible(
            self._run.run_dir, "guard_tripped", clock=self._clock, guard=trip.guard, value=trip.value, limit=trip.limit, reason=trip.reason
        )
        return f"the guard {trip.guard} ends the run: {trip.reason}"


class _Posts:
    """Looks for acknowledged posts in their databases. One that is in none of them counts when the next look does not find it either."""

    def __init__(self, seed: int) -> None:
        self._drawn, self._looks = random.Random(seed), 0
        self._missed: frozenset[int] = frozenset()

    def unreadable(self, lab: Lab, acknowledged: list[int]) -> int | None:
        self._looks += 1
        if not self._missed and self._looks % ASK_EVERY:
            return None
        asked = self._missed or self._some(acknowledged)
        missed = asyncio.run(_absent(lab, asked))
        confirmed = len(missed & self._missed)
        self._missed = missed
        return confirmed

    def _some(self, acknowledged: list[int]) -> frozenset[int]:
        any_of_all = self._drawn.sample(acknowledged, min(ANY, len(acknowledged)))
        return frozenset([*acknowledged[-NEWEST:], *any_of_all])


async def _absent(lab: Lab, asked: frozenset[int]) -> frozenset[int]:
    """Those that are surely in no database; where one does not answer nothing is sure."""
    by_shard: dict[int, list[int]] = defaultdict(list)
    for tweet_id in asked:
        by_shard[ids.shard_of(tweet_id)].append(tweet_id)
    found = await asyncio.gather(*(databases.absent(lab, shard, of_shard) for shard, of_shard in by_shard.items()))
    return frozenset().union(*(absent for absent in found if absent))


def _harm_allowed(extension: Extension, plan: Plan | None) -> float:
    """A sham is to harm nobody."""
    fault_s = plan.undo_at - plan.inject_at if plan else 0.0
    predicted = 0.0 if plan and (plan.sham or not plan.inject) else extension.predicted_harm
    return guards.harm_allowed(extension.safety.guards, predicted=predicted, fault_s=fault_s)
