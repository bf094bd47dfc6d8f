"""Benchmark `rebuild`: a home read whose list of 800 has to be made from its sources, against one whose list is there.

CPU time is that of all processes of the lab that are under test. The reader follows 40 authors, who wrote 25 tweets each, which the two
shards hold; a rebuild reads whom the reader follows and the newest 800 ids of theirs, and stores the list. Both reads then fetch a page.
"""

from __future__ import annotations

import time

from failwhale.bench import fanout_lab, lab, measure, model
from failwhale.bench.front_door import FrontDoor
from failwhale.bench.lists import Lists
from failwhale.bench.model import Bench, Measured, Terms
from reference_app.contract import api, storage
from reference_app.stack.errors import StackError

AUTHORS, READER, TWEETS_EACH = range(1, 41), 41, 25
READS = 20
"""Of a window."""
SETTLE_S = 1.0


def run(terms: Terms) -> Measured:
    """The ratio of both costs; CPU time and duration of both reads."""
    with lab.running(terms.say, users=0) as bench_lab:
        fanout_lab.seed_stars(bench_lab, {author: [READER] for author in AUTHORS})
        with FrontDoor(bench_lab) as door, Lists(bench_lab.lab) as lists:
            for author in [author for _ in range(TWEETS_EACH) for author in AUTHORS]:
                door.post(author)
            time.sleep(SETTLE_S)
            pids, cold, warm = bench_lab.pids(), _Reads(door, lists, cold=True), _Reads(door, lists, cold=False)
            pairs = measure.in_turn(
                lambda: measure.cpu_of(pids, cold.window), lambda: measure.cpu_of(pids, warm.window), pairs=terms.pairs, say=terms.say
            )
            _check(lists)
    absolute = {
        "rebuilding_read_cpu_us": model.geometric([cost for cost, _ in pairs]).value * 1e6,
        "warm_read_cpu_us": model.geometric([cost for _, cost in pairs]).value * 1e6,
        "rebuilding_read_ms": {name: model.percentile(cold.seconds, q).value * 1000 for name, q in (("p50", 0.5), ("p99", 0.99))},
        "warm_read_ms": {name: model.percentile(warm.seconds, q).value * 1000 for name, q in (("p50", 0.5), ("p99", 0.99))},
    }
    return Measured(model.ratio_of(pairs), len(pairs), absolute)


class _Reads:
    """Home reads of one kind, one after the other; `seconds` are those of each."""

    def __init__(self, door: FrontDoor, lists: Lists, *, cold: bool) -> None:
        self._door, self._lists, self._cold = door, lists, cold
        self.seconds: list[float] = []

    def window(self) -> int:
        for _ in range(READS):
            if self._cold:
                self._lists.drop(READER)
            started = time.perf_counter()
            page = self._door.home(READER)
            self.seconds.append(time.perf_counter() - started)
            if len(page) != api.PAGE_DEFAULT:
                raise StackError(f"the reader's page has {len(page)} tweets instead of {api.PAGE_DEFAULT}")
        return READS


def _check(lists: Lists) -> None:
    if (length := lists.length(READER)) != storage.TIMELINE_LENGTH:
        raise StackError(f"the list that was rebuilt has {length} ids instead of {storage.TIMELINE_LENGTH}")


BENCH = Bench(
    name="rebuild",
    meaning=f"CPU time of a home read that rebuilds its list of {storage.TIMELINE_LENGTH} from the sources.",
    better="lower",
    against="a home read whose list is there",
    bar=None,
    run=run,
)
