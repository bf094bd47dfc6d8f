"""The schedule: every arrival of a plan with its user, its operation and its words, before anything is sent."""

from __future__ import annotations

import hashlib
import heapq
from collections.abc import Iterator
from dataclasses import dataclass, replace
from operator import attrgetter
from typing import Literal

from loadgen.model import arrivals, presets, texts
from loadgen.model.population import Population
from loadgen.model.presets import Preset
from reference_app.contract import topology
from reference_app.contract.plan import Plan

REPLAY_SHARE = 0.05
"""Of the posts: once acknowledged they are sent again with the same key, so that "no duplicates" means something."""
REPLAY_AFTER_S = (1.0, 5.0)


@dataclass(frozen=True)
class Request:
    """One request of one user. `due` is its intended start in load seconds, `target` whose tweets are asked for.

    `replay_after` is the pause in seconds between the acknowledgement of a post and its replay, None for no replay.
    """

    n: int
    op: Literal["home", "user_timeline", "post"]
    user: int
    due: float
    target: int = 0
    key: str = ""
    text: str = ""
    attempt: int = 1
    replay: bool = False
    replay_after: float | None = None


def schedule(plan: Plan, *, users: int) -> tuple[Request, ...]:
    """All arrivals in order, numbered from 1: a pure function of plan and number of users."""
    preset = presets.named(plan.preset).scaled(topology.load_of(plan.topology))
    authors = Population(users, exponent=preset.author_exponent, ranking=arrivals.stream(plan.seed, "author ranks"))
    both = heapq.merge(_reads(plan, preset, users, authors), _posts(plan, preset, authors), key=attrgetter("due"))
    return tuple(replace(request, n=n) for n, request in enumerate(both, 1))


def _reads(plan: Plan, preset: Preset, users: int, authors: Population) -> Iterator[Request]:
    readers = Population(users, exponent=preset.reader_exponent, ranking=arrivals.stream(plan.seed, "reader ranks"))
    choice = arrivals.stream(plan.seed, "reads")
    for due in arrivals.arrivals(presets.curve(preset.reads, plan.phases), arrivals.stream(plan.seed, "read times")):
        user = readers.pick(choice)
        if choice.random() < preset.user_timeline_share:
            yield Request(0, "user_timeline", user, due, target=authors.pick(choice))
        else:
            yield Request(0, "home", user, due)


def _posts(plan: Plan, preset: Preset, authors: Population) -> Iterator[Request]:
    choice, prefix = arrivals.stream(plan.seed, "posts"), _key_prefix(plan.run_id)
    times = arrivals.arrivals(presets.curve(preset.posts, plan.phases), arrivals.stream(plan.seed, "post times"))
    for i, due in enumerate(times, 1):
        author, text, pause = authors.pick(choice), texts.compose(choice), choice.uniform(*REPLAY_AFTER_S)
        replayed = choice.random() < REPLAY_SHARE
        yield Request(0, "post", author, due, key=f"{prefix}-{i}", text=text, replay_after=pause if replayed else None)


def _key_prefix(run_id: str) -> str:
    """Keys differ between runs of one seed: the shards remember the keys of earlier runs and would answer with their tweets."""
    return hashlib.blake2b(run_id.encode(), digest_size=8).hexdigest()
