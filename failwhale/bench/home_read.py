"""Benchmark `home-read`: CPU time of one warm home page of 20 tweets, over all processes of the lab, against a bare hello.

A page is warm: its list, its tweets and its authors are in their caches, but for what expires meanwhile. Its tweets are by several
authors and no retweets. Every process under test counts, busy or not; what watches a lab is stopped. Both sides are driven alike, by
wrk over the same number of connections on the other core, so both work at saturation: per request, at a drill's rates each would
cost more, the hello far more than the page (adr/0002: 200 us).
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from failwhale.bench import hello, lab, measure, model, wrk
from failwhale.bench.front_door import FrontDoor
from failwhale.bench.lab import BenchLab
from failwhale.bench.model import Bench, Measured, Terms
from reference_app.contract import api
from reference_app.stack.errors import StackError

USERS, AUTHORS, TWEETS_EACH, READERS = 300, 60, 8, 50
CONNECTIONS, WINDOW_S, SETTLE_S = 8, 2, 3.0
BAR = 20.0


@dataclass(frozen=True)
class Prepared:
    """A lab whose readers have full pages."""

    lab: BenchLab
    url: str
    tokens: Path


def run(terms: Terms) -> Measured:
    """The ratio of both costs, and where the CPU time of a read goes."""
    with prepared(terms) as ready, hello.running() as yardstick:
        reads: list[wrk.Load] = []
        hellos: list[wrk.Load] = []
        everyone = ready.lab.pids()

        def read_window() -> float:
            return measure.cpu_of(everyone, lambda: _drive(ready, reads))

        def hello_window() -> float:
            return measure.cpu_of([yardstick.pid], lambda: _drive_hello(yardstick, hellos))

        pairs = measure.in_turn(read_window, hello_window, pairs=terms.pairs, say=terms.say)
        by_group = ready.lab.cpu_us(lambda: _drive(ready, reads))
        absolute = {
            "read_us": model.geometric([cost for cost, _ in pairs]).value * 1e6,
            "hello_us": model.geometric([cost for _, cost in pairs]).value * 1e6,
            "reads_per_s": max(load.per_s for load in reads),
            "hellos_per_s": max(load.per_s for load in hellos),
            "read_p99_ms": min(load.p99_ms for load in reads),
            "connections": CONNECTIONS,
            "read_us_by_group": by_group,
        }
    return Measured(model.ratio_of(pairs), len(pairs), absolute)


@contextlib.contextmanager
def prepared(terms: Terms) -> Iterator[Prepared]:
    """A lab with tweets, and the tokens of readers whose pages are full."""
    with lab.running(terms.say, users=USERS) as bench_lab, FrontDoor(bench_lab) as front_door:
        for author in list(range(1, AUTHORS + 1)) * TWEETS_EACH:
            front_door.post(author)
        time.sleep(SETTLE_S)
        everybody = range(1, USERS + 1)
        readers = [front_door.token(user) for user in everybody if len(front_door.home(user)) == api.PAGE_DEFAULT][:READERS]
        if not readers:
            raise StackError("nobody in the benchmark's lab has a full home page")
        path = bench_lab.home.path / "tokens"
        path.write_text("\n".join(readers))
        terms.say(f"{len(readers)} readers with pages of {api.PAGE_DEFAULT} tweets")
        yield Prepared(bench_lab, f"{bench_lab.lab.entry_url}{api.HOME}", path)


def _drive(ready: Prepared, loads: list[wrk.Load]) -> int:
    loads.append(wrk.run(ready.url, connections=CONNECTIONS, seconds=WINDOW_S, tokens=ready.tokens))
    return loads[-1].requests


def _drive_hello(yardstick: hello.Hello, loads: list[wrk.Load]) -> int:
    loads.append(wrk.run(yardstick.url, connections=CONNECTIONS, seconds=WINDOW_S))
    return loads[-1].requests


BENCH = Bench(
    name="home-read",
    meaning="CPU time of one warm home page of 20 tweets over all processes of a small lab, at saturation.",
    better="lower",
    against="a hello on granian and starlette",
    bar=BAR,
    run=run,
)
