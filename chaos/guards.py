"""Guards: a run that does more harm than was agreed ends. What was seen at one moment goes in, what is wrong with it comes out. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

Name = Literal["lost_writes", "runner_gone", "burn", "host_pressure", "blind"]
"""`blind`: the watcher itself failed, and a run that nobody watches ends."""


@dataclass(frozen=True)
class Limits:
    """When a guard ends a run. What is seen beyond them is no result of the experiment any more, or harms more than the lab.

    `harm_margin` is harm beyond what the experiment predicts, as a share of the fault's time: with 0.35, 14 s without any good page in a
    fault of 40 s that predicts none. `unreadable_posts` None: the fault itself takes posts away, and its undo brings them back.
    `stalled_percent` is of the last 10 s, in which nothing on the machine went on for want of memory or disk (PSI, full avg10).
    """

    harm_margin: float = 0.35
    unreadable_posts: int | None = 0
    stalled_percent: float = 60.0
    free_memory_mib: float = 256.0
    free_disk_mib: float = 512.0


@dataclass(frozen=True)
class Sample:
    """What a watcher saw at one moment. What it could not see is None, and no guard judges it.

    `harmed_s`: the seconds of load up to now, each counted by its share of pages that lacked something or were not served.
    `unreadable_posts`: acknowledged posts that no database of their shard has. `abandoned`: kinds of faults whose runner is gone.
    """

    harmed_s: float | None = None
    unreadable_posts: int | None = None
    abandoned: tuple[str, ...] = ()
    stalled_percent: float | None = None
    free_memory_mib: float | None = None
    free_disk_mib: float | None = None


@dataclass(frozen=True)
class Trip:
    """A guard that ends its run: `reason` is a sentence with value and limit."""

    guard: Name
    value: float
    limit: float
    reason: str


def harm_allowed(limits: Limits, *, predicted: float, fault_s: float) -> float:
    """Harmed seconds that a run may cost before its fault is undone; `predicted` is the share of pages that the experiment says to harm."""
    return (predicted + limits.harm_margin) * fault_s


def tripped(sample: Sample, limits: Limits, *, harm_allowed_s: float) -> Trip | None:
    """The guard that ends the run now, the gravest first; None when it may go on."""
    for rule in _RULES:
        for trip in rule(sample, limits, harm_allowed_s):
            return trip
    return None


def _lost_writes(sample: Sample, limits: Limits, _harm_allowed_s: float) -> Iterator[Trip]:
    seen, limit = sample.unreadable_posts, limits.unreadable_posts
    if seen is not None and limit is not None and seen > limit:
        yield Trip("lost_writes", seen, limit, f"{seen} acknowledged posts are in no database of their shard (limit {limit})")


def _runner_gone(sample: Sample, _limits: Limits, _harm_allowed_s: float) -> Iterator[Trip]:
    if count := len(sample.abandoned):
        yield Trip("runner_gone", count, 0, f"the toolkit is gone, and left in force: {', '.join(sample.abandoned)} (limit 0)")


def _burn(sample: Sample, _limits: Limits, harm_allowed_s: float) -> Iterator[Trip]:
    if sample.harmed_s is not None and sample.harmed_s > harm_allowed_s:
        said = f"home pages were harmed for {sample.harmed_s:.1f} s in all, far longer than predicted (limit {harm_allowed_s:.1f} s)"
        yield Trip("burn", round(sample.harmed_s, 1), round(harm_allowed_s, 1), said)


def _host_pressure(sample: Sample, limits: Limits, _harm_allowed_s: float) -> Iterator[Trip]:
    stalled = sample.stalled_percent
    if stalled is not None and stalled > limits.stalled_percent:
        said = f"the machine stood still for {stalled:.0f} % of the last 10 s (limit {limits.stalled_percent:g} %)"
        yield Trip("host_pressure", stalled, limits.stalled_percent, said)
    yield from _short_of("memory", sample.free_memory_mib, limits.free_memory_mib)
    yield from _short_of("disk space", sample.free_disk_mib, limits.free_disk_mib)


def _short_of(what: str, left: float | None, limit: float) -> Iterator[Trip]:
    if left is not None and left < limit:
        yield Trip("host_pressure", round(left), limit, f"{left:.0f} MiB of {what} are left on the machine (limit {limit:g} MiB)")


_RULES: tuple[Callable[[Sample, Limits, float], Iterator[Trip]], ...] = (_lost_writes, _runner_gone, _burn, _host_pressure)
