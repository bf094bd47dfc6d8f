"""Benchmark `post`: CPU time of an acknowledged post over all processes of the lab, against a raw insert of its two rows.

What counts is the acknowledged path: gateway, tweets, both databases of the shard, up to the 201, which is when a user may close the phone.
The rest (relay, stream, fan-out, search) happens later and at its own pace, so the relay is held by its decider while posts are compared,
and `later_us` tells what publishing the posts that waited cost afterwards, by group. A raw insert is one transaction of the same two rows on
the same primaries, with the same semi-synchronous replicas, by asyncmy from one process; that process counts, too.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from failwhale.bench import lab, measure, model, raw_insert, wrk
from failwhale.bench.front_door import FrontDoor
from failwhale.bench.lab import BenchLab
from failwhale.bench.model import Bench, Measured, Terms
from failwhale.bench.raw_insert import USERS, Inserter
from reference_app.contract import api
from reference_app.kit import deciders
from reference_app.stack.errors import StackError

WINDOW_S, LATER_POSTS_S = 2, 4
IDLE_S, QUIET_SHARE, DRAIN_S = 2.0, 0.05, 180.0
"""The lab is quiet when for two seconds it uses less than a twentieth of a core more than when it was idle."""
RELAY = "outbox_relay"
BAR = 6.0


@dataclass(frozen=True)
class Prepared:
    lab: BenchLab
    tokens: Path

    def post(self, seconds: int) -> wrk.Load:
        """Posts of all users in turn, each with a key of its own."""
        url = f"{self.lab.lab.entry_url}{api.TWEETS}"
        return wrk.run(url, connections=raw_insert.CONNECTIONS, seconds=seconds, tokens=self.tokens, posts=f"p{time.time_ns():x}")

    def relay(self, *, on: bool) -> None:
        """Have posts published, or held."""
        deciders.write(self.lab.home, RELAY, deciders.ON if on else deciders.OFF, by="bench")
        time.sleep(5 * deciders.POLL_SECONDS)


def run(terms: Terms) -> Measured:
    """The ratio of both costs, and where the CPU time of a post goes, then and later."""
    with _prepared(terms) as ready, raw_insert.running(_primaries(ready.lab)) as inserter:
        idle = _idle(ready.lab)
        ready.relay(on=False)
        posts: list[wrk.Load] = []
        inserts: list[float] = []
        pairs = measure.in_turn(_posting(ready, posts), _inserting(ready, inserter, inserts), pairs=terms.pairs, say=terms.say)
        by_group = ready.lab.cpu_us(lambda: ready.post(WINDOW_S).requests)
        terms.say("publishing what waits, then the cost of publishing")
        later = _later_us(ready, idle)
    return Measured(
        model.ratio_of(pairs),
        len(pairs),
        {
            "post_us": model.geometric([cost for cost, _ in pairs]).value * 1e6,
            "insert_us": model.geometric([cost for _, cost in pairs]).value * 1e6,
            "acknowledged_per_s": max(load.per_s for load in posts),
            "inserts_per_s": max(inserts),
            "post_p99_ms": min(load.p99_ms for load in posts),
            "connections": raw_insert.CONNECTIONS,
            "post_us_by_group": by_group,
            "later_us_by_group": later,
        },
    )


@contextlib.contextmanager
def _prepared(terms: Terms) -> Iterator[Prepared]:
    with lab.running(terms.say, users=USERS) as bench_lab:
        path = bench_lab.home.path / "tokens"
        with FrontDoor(bench_lab) as front_door:
            path.write_text("\n".join(front_door.token(user) for user in range(1, USERS + 1)))
        yield Prepared(bench_lab, path)


def _primaries(bench_lab: BenchLab) -> list[int]:
    return [component.port for component in bench_lab.lab.group("tweets-db") if component.role == "primary"]


def _posting(ready: Prepared, loads: list[wrk.Load]) -> measure.Window:
    everyone = ready.lab.pids()

    def work() -> int:
        loads.append(ready.post(WINDOW_S))
        return loads[-1].requests

    return lambda: measure.cpu_of(everyone, work)


def _inserting(ready: Prepared, inserter: Inserter, rates: list[float]) -> measure.Window:
    involved = [inserter.pid, *ready.lab.pids("tweets-db")]

    def work() -> int:
        done = inserter.insert(WINDOW_S)
        rates.append(done / WINDOW_S)
        return done

    return lambda: measure.cpu_of(involved, work)


def _later_us(ready: Prepared, idle: Mapping[str, float]) -> dict[str, float]:
    """CPU time by group of what comes after a post is acknowledged, from a backlog whose relay is let go, less what an idle lab uses."""
    ready.relay(on=True)
    _await_quiet(ready.lab, idle)
    ready.relay(on=False)
    posted = ready.post(LATER_POSTS_S).requests
    before, began = ready.lab.cpu_s(), time.monotonic()
    ready.relay(on=True)
    _await_quiet(ready.lab, idle)
    after, took = ready.lab.cpu_s(), time.monotonic() - began
    return lab.largest_first({group: (after[group] - before[group] - idle[group] * took) * 1e6 / posted for group in before})


def _idle(bench_lab: BenchLab) -> dict[str, float]:
    """Cores that each group uses while nobody asks for anything."""
    before = bench_lab.cpu_s()
    time.sleep(IDLE_S)
    return {group: (spent - before[group]) / IDLE_S for group, spent in bench_lab.cpu_s().items()}


def _await_quiet(bench_lab: BenchLab, idle: Mapping[str, float]) -> None:
    ends = time.monotonic() + DRAIN_S
    while sum(_idle(bench_lab).values()) > sum(idle.values()) + QUIET_SHARE:
        if time.monotonic() >= ends:
            raise StackError(f"the benchmark's lab is still busy {DRAIN_S:g} s after its last post")


BENCH = Bench(
    name="post",
    meaning="CPU time of an acknowledged post over all processes of a small lab, at saturation, its publication aside; `later_us` is what publishing those that waited costs.",
    better="lower",
    against="a raw insert of its two rows with the same semi-sync",
    bar=BAR,
    run=run,
)
