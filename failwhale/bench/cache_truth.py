"""Benchmark `cache-truth`: what the caches carry. Twitter's incident of 2016-07 in small, first without the protections of cold reads, then with them.

In 2016-07 nodes joined a cache ring at once, 16 % of the reads missed, and the store behind, which was sized for the hits, answered none of
them. Here a sixth tweet cache joins a ring of five, for real, and keeps losing what it is given, for real: its Redis may use one byte, so it
evicts everything. Both runs have the same seed, so the same reads at the same moments. The store behind is too fast to break, so its reads
go through a SIMULATED device: a pool for 0.3 of the cold batches offered at 84 % hits, each of which holds a slot for 20 ms.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import time
from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any

import httpx

from failwhale.bench import cold_caches, goodput, lab, open_loop
from failwhale.bench.cold_caches import Counts, Newcomer
from failwhale.bench.goodput import Course
from failwhale.bench.lab import BenchLab
from failwhale.bench.model import Bench, Measured, Terms
from failwhale.bench.open_loop import Answer, Request
from reference_app.contract import api, tokens
from reference_app.contract.topology import CACHES
from reference_app.kit import deciders, http, membership, pages
from reference_app.stack.errors import StackError

SEED = 1
USERS, TWEETS, SETTLE_S = 300, 1200, 3.0
READS_PER_S = 100.0
WITHIN_S = 0.5
"""As the objective home-latency."""
WARM_PER_S = 60.0
COLD_FROM_S, COLD_TO_S, END_S = 8, 34, 42
SETTLED_S = 2
"""Until every process has the new ring and what was under way is answered: not counted on either side of a change."""
MISSES, POOL_SHARE, SIMULATED_HOLD_S = 0.16, 0.3, 0.02
PROTECTIONS = ("cold_single_flight", "cold_gathering", "soft_ttl", "lease_gets", "negative_cache", "hot_keys")
NOTHING_EXPIRES_S = 3600


@dataclass(frozen=True)
class Stage:
    """A lab whose readers have full pages, and the cache that is going to join."""

    lab: BenchLab
    readers: tuple[str, ...]
    newcomer: Newcomer
    share: float
    simulated_slots: int


@dataclass(frozen=True)
class Run:
    """A course, and what the tweets service counted in its baseline and while caches were cold."""

    course: Course
    before: Counts
    cold: Counts


def run(terms: Terms) -> Measured:
    """Goodput with the protections while the caches are cold; it holds only if without them it collapsed for long enough."""
    with staged(terms) as stage:
        off, on = played(stage, terms, on=()), played(stage, terms, on=PROTECTIONS)
    lacking = goodput.lacking(off.course, on.course)
    absolute = {
        "reads_per_s": READS_PER_S,
        "newcomers_share_of_reads": round(stage.share, 3),
        "simulated_device": f"pool of {stage.simulated_slots} slots, {1000 * SIMULATED_HOLD_S:g} ms each",
        "seconds_of_cold_caches": COLD_TO_S - COLD_FROM_S,
        "lacking": "; ".join(lacking) or "nothing",
        "off": told(off),
        "on": told(on),
    }
    ratio = goodput.share(on.course.good_cold, on.course.offered_cold)
    return Measured(ratio, 1, absolute, holds=not lacking)


@contextlib.contextmanager
def staged(terms: Terms) -> Iterator[Stage]:
    """A lab of six tweet caches with tweets, of which one is not in the ring yet."""
    with lab.running(terms.say, users=USERS, topology=CACHES.name) as bench_lab:
        texts = bench_lab.home.path / "texts.txt"
        texts.write_text("\n".join(f"line {n}, about as long as tweets are: the median has some sixty characters" for n in range(50)))
        bench_lab.command("seed", "--tweets", str(texts), "--count", str(TWEETS))
        time.sleep(SETTLE_S)
        readers, reads = full_pages(bench_lab)
        if not readers:
            raise StackError("nobody in the benchmark's lab has a full home page")
        name, share = cold_caches.nearest_share(reads, [c.name for c in bench_lab.lab.group(cold_caches.GROUP)], MISSES)
        slots = goodput.slots(
            READS_PER_S, 1 - MISSES, share_of_offered=POOL_SHARE, shards=CACHES.tweet_shards, page=api.PAGE_DEFAULT, hold_s=SIMULATED_HOLD_S
        )
        terms.say(f"{len(readers)} readers of {len(reads)} tweets; {name} is going to join with {share:.1%} of the reads")
        yield Stage(bench_lab, readers, Newcomer(bench_lab, name), share, slots)


def full_pages(bench_lab: BenchLab) -> tuple[tuple[str, ...], Counter[int]]:
    """Tokens of who has a full page, and how often each tweet is on one."""
    readers: list[str] = []
    reads: Counter[int] = Counter()
    with httpx.Client(base_url=bench_lab.lab.entry_url, timeout=10, trust_env=False) as client:
        for user in range(1, USERS + 1):
            token = tokens.sign(user, key=bench_lab.lab.signing_key, expires_at=int(time.time()) + tokens.LIFETIME_S)
            answer = client.get(api.HOME, headers={"authorization": f"Bearer {token}"})
            if answer.status_code == httpx.codes.OK and pages.is_complete(answer.content):
                tweet_ids = [int(tweet["id"]) for tweet in answer.json()["tweets"]]
                if len(tweet_ids) == api.PAGE_DEFAULT:
                    readers.append(token)
                    reads.update(tweet_ids)
    return tuple(readers), reads


def played(stage: Stage, terms: Terms, *, on: Collection[str]) -> Run:
    """One run with these protections: warm caches, the newcomer joins, and goes again."""
    label = f"protections {', '.join(on) or 'off'}"
    stage.newcomer.leave()
    stage.newcomer.starve()
    switches = {name: deciders.ON if name in on else deciders.OFF for name in PROTECTIONS}
    cold_caches.switch(stage.lab, switches | {"tweet_cache_ttl": NOTHING_EXPIRES_S, "simulated_cold_store": 0})
    terms.say(f"{label}: {END_S} s at {READS_PER_S:g} reads/s, cold from {COLD_FROM_S} to {COLD_TO_S} s")
    found = asyncio.run(_course(stage))
    cold_caches.switch(stage.lab, {"simulated_cold_store": 0})
    course = found.course
    terms.say(f"hit rate {course.hit_rate_before:.1%}, then {course.hit_rate_cold:.1%}; goodput {course.goodput_cold:.1%}")
    return found


async def _course(stage: Stage) -> Run:
    port = stage.lab.lab.entry.port
    warming = [Request(n / WARM_PER_S, open_loop.get(api.HOME, token)) for n, token in enumerate(stage.readers)]
    await open_loop.drive(port, warming, good=pages.is_complete)
    await asyncio.to_thread(cold_caches.switch, stage.lab, {"simulated_cold_store": stage.simulated_slots})
    rng = random.Random(SEED)
    due = open_loop.arrivals(per_s=READS_PER_S, seconds=END_S, rng=rng)
    requests = [Request(at, open_loop.get(api.HOME, rng.choice(stage.readers))) for at in due]
    answers, counted = await asyncio.gather(open_loop.drive(port, requests, good=pages.is_complete), _happenings(stage))
    return _told_by(answers, *counted)


async def _happenings(stage: Stage) -> tuple[Counts, Counts]:
    """What was counted before the newcomer joined, and while it was there."""
    clients = [http.Client(component) for component in stage.lab.lab.group("tweets")]
    started = time.monotonic()

    async def at(second: float) -> Counts:
        await asyncio.sleep(started + second - time.monotonic())
        return await cold_caches.counts(clients)

    first, joins = await at(SETTLED_S), await at(COLD_FROM_S - membership.NOTICE_SECONDS)
    await asyncio.to_thread(stage.newcomer.join)
    cold, leaves = await at(COLD_FROM_S + SETTLED_S), await at(COLD_TO_S - membership.NOTICE_SECONDS)
    await asyncio.to_thread(stage.newcomer.leave)
    for client in clients:
        client.close()
    return {name: joins[name] - first[name] for name in joins}, {name: leaves[name] - cold[name] for name in leaves}


def _told_by(answers: list[Answer], before: Counts, cold: Counts) -> Run:
    counted = [answer for answer in answers if COLD_FROM_S + SETTLED_S <= answer.due_s < COLD_TO_S]
    course = Course(
        goodput=goodput.by_second(answers, within_s=WITHIN_S, seconds=END_S),
        cold_from_s=COLD_FROM_S,
        cold_to_s=COLD_TO_S,
        hit_rate_before=_hit_rate(before),
        hit_rate_cold=_hit_rate(cold),
        good_cold=sum(answer.good and answer.latency_s <= WITHIN_S for answer in counted),
        offered_cold=len(counted),
        latencies_cold=tuple(sorted(answer.latency_s for answer in counted)),
    )
    return Run(course, before, cold)


def _hit_rate(counted: Counts) -> float:
    """Share of the tweets asked for that a cache or the process had."""
    had = counted["hits"] + counted["hot"]
    return had / (had + counted["misses"])


def told(found: Run) -> dict[str, Any]:
    """Figures of a run; counts are of the seconds in which caches were cold."""
    course = found.course
    return {
        "hit_rate_before": round(course.hit_rate_before, 4),
        "hit_rate_cold": round(course.hit_rate_cold, 4),
        "goodput_before": round(course.goodput_before, 3),
        "goodput_cold": round(course.goodput_cold, 3),
        "latency_cold_ms": {"p50": round(1000 * course.latency(0.5)), "p99": round(1000 * course.latency(0.99))},
        "seconds_below_half": course.collapsed_s,
        "goodput_percent_by_second": " ".join(f"{100 * part:.0f}" for part in course.goodput),
        "counted": {name: round(value) for name, value in found.cold.items()},
    }


BENCH = Bench(
    name="cache-truth",
    meaning="Home pages complete and within 0.5 s while a sixth of the tweets is in no cache and the store behind is a simulated, slow device.",
    better="higher",
    against="the pages offered; without the protections fewer than half of them for 20 s",
    bar=goodput.HELD_FROM,
    run=run,
    page="cache-truth.md",
)
