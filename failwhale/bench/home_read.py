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

import httpx

from failwhale.bench import hello, lab, measure, model, wrk
from failwhale.bench.lab import BenchLab
from failwhale.bench.model import Bench, Measured, Terms
from reference_app.contract import api, tokens
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
        by_group = _by_group_us(ready, reads)
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
    with lab.running(terms.say, users=USERS) as bench_lab:
        signed = {user: _token(bench_lab, user) for user in range(1, USERS + 1)}
        url = bench_lab.lab.entry_url
        with httpx.Client(base_url=url, timeout=10) as client:
            _post_tweets(client, signed)
            time.sleep(SETTLE_S)
            readers = [token for token in signed.values() if _full(client, token)][:READERS]
        if not readers:
            raise StackError("nobody in the benchmark's lab has a full home page")
        path = bench_lab.home.path / "tokens"
        path.write_text("\n".join(readers))
        terms.say(f"{len(readers)} readers with pages of {api.PAGE_DEFAULT} tweets")
        yield Prepared(bench_lab, f"{url}{api.HOME}", path)


def _token(bench_lab: BenchLab, user_id: int) -> str:
    return tokens.sign(user_id, key=bench_lab.lab.signing_key, expires_at=int(time.time()) + tokens.LIFETIME_S)


def _post_tweets(client: httpx.Client, signed: dict[int, str]) -> None:
    for number in range(TWEETS_EACH):
        for user in range(1, AUTHORS + 1):
            headers = {"authorization": f"Bearer {signed[user]}", api.IDEMPOTENCY_KEY: f"{user}-{number}"}
            text = f"tweet {number} of user {user}, about as long as tweets are: the median has some sixty characters"
            answer = client.post(api.TWEETS, headers=headers, json={"text": text})
            if answer.status_code != 201:
                raise StackError(f"a post to the benchmark's lab was answered {answer.status_code}: {answer.text}")


def _full(client: httpx.Client, token: str) -> bool:
    page = client.get(api.HOME, headers={"authorization": f"Bearer {token}"}).raise_for_status().json()
    return len(page["tweets"]) == api.PAGE_DEFAULT and not page["partial"]


def _drive(ready: Prepared, loads: list[wrk.Load]) -> int:
    loads.append(wrk.run(ready.url, connections=CONNECTIONS, seconds=WINDOW_S, tokens=ready.tokens))
    return loads[-1].requests


def _drive_hello(yardstick: hello.Hello, loads: list[wrk.Load]) -> int:
    loads.append(wrk.run(yardstick.url, connections=CONNECTIONS, seconds=WINDOW_S))
    return loads[-1].requests


def _by_group_us(ready: Prepared, loads: list[wrk.Load]) -> dict[str, float]:
    """CPU time of a read by group, in one more window."""
    groups = {group: ready.lab.pids(group) for group in dict.fromkeys(c.group for c in ready.lab.lab.components if not c.tool)}
    before = {group: measure.cpu_s(pids) for group, pids in groups.items()}
    operations = _drive(ready, loads)
    spent = {group: (measure.cpu_s(pids) - before[group]) * 1e6 / operations for group, pids in groups.items()}
    return {group: round(cost, 1) for group, cost in sorted(spent.items(), key=lambda item: -item[1]) if cost >= 0.5}


BENCH = Bench(
    name="home-read",
    meaning="CPU time of one warm home page of 20 tweets over all processes of a small lab, at saturation.",
    better="lower",
    against="a hello on granian and starlette",
    bar=BAR,
    run=run,
)
