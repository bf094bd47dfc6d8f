"""The schedule: every arrival of a plan with its user, its operation and its words, before anything is sent."""

from __future__ import annotations

import hashlib
import heapq
from collections.abc import Iterator
from dataclasses import dataclass, replace
from operator import attrgetter
from typing import Literal

from loadgen.history import Reaction
from loadgen.model import arrivals, courses, population, presets, texts
from loadgen.model.population import Population
from loadgen.model.presets import Preset
from reference_app.contract import topology
from reference_app.contract.plan import Plan

REPLAY_SHARE = 0.05
"""Of the posts: once acknowledged they are sent again with the same key, so that "no duplicates" means something."""
REPLAY_AFTER_S = (1.0, 5.0)
STAR = 1
"""The account that `star_share` of a preset is about: in the synthetic graph, a fifth of all users follow it."""


@dataclass(frozen=True)
class Request:
    """One request of one user. `due` is its intended start in load seconds, `target` whose tweets are asked for.

    `replay_after` is the pause in seconds between the acknowledgement of a post and its replay, None for no replay. `intent` is the number of the
    planned request that it serves: its own, unless an answer brought it about.
    """

    n: int
    op: Literal["home", "user_timeline", "post"]
    user: int
    due: float
    target: int = 0
    key: str = ""
    text: str = ""
    attempt: int = 1
    intent: int = 0
    reaction: Reaction = ""
    replay: bool = False
    replay_after: float | None = None


def schedule(plan: Plan, *, users: int) -> tuple[Request, ...]:
    """All arrivals in order, numbered from 1: a pure function of plan and number of users, and of the file when it replays one."""
    preset = presets.named(plan.preset).scaled(topology.load_of(plan.topology) if plan.load is None else plan.load)
    acting = population.active(users, share=preset.active_share, rng=arrivals.stream(plan.seed, "active users"))
    authors = Population(acting, exponent=preset.author_exponent, ranking=arrivals.stream(plan.seed, "author ranks"))
    readers = Population(acting, exponent=preset.reader_exponent, ranking=arrivals.stream(plan.seed, "reader ranks"))
    both = heapq.merge(_reads(plan, preset, readers, authors), _posts(plan, preset, authors), key=attrgetter("due"))
    return tuple(replace(request, n=n, intent=n) for n, request in enumerate(both, 1))


def _reads(plan: Plan, preset: Preset, readers: Population, authors: Population) -> Iterator[Request]:
    choice, began = arrivals.stream(plan.seed, "reads"), courses.began(plan.phases)
    for due in arrivals.arrivals(preset.reads.over(plan.phases), arrivals.stream(plan.seed, "read times")):
        user = readers.pick(choice)
        if due >= began and choice.random() < preset.star_share:
            yield Request(0, "user_timeline", user, due, target=STAR)
        elif choice.random() < preset.user_timeline_share:
            yield Request(0, "user_timeline", user, due, target=authors.pick(choice))
        else:
            yield Request(0, "home", user, due)


def _posts(plan: Plan, preset: Preset, authors: Population) -> Iterator[Request]:
    choice, prefix = arrivals.stream(plan.seed, "posts"), _key_prefix(plan.run_id)
    for i, (due, star) in enumerate(_post_times(plan, preset), 1):
        author, text, pause = authors.pick(choice), texts.compose(choice), choice.uniform(*REPLAY_AFTER_S)
        again = pause if choice.random() < REPLAY_SHARE else None
        yield Request(0, "post", STAR if star else author, due, key=f"{prefix}-{i}", text=text, replay_after=again)


def _post_times(plan: Plan, preset: Preset) -> Iterator[tuple[float, bool]]:
    """Load seconds, and True for the post of the star, without which nobody would look at it."""
    times = arrivals.arrivals(preset.posts.over(plan.phases), arrivals.stream(plan.seed, "post times"))
    stars = [courses.began(plan.phases)] if preset.star_share else []
    return heapq.merge(((due, True) for due in stars), ((due, False) for due in times))


def _key_prefix(run_id: str) -> str:
    """Keys differ between runs of one seed: the shards remember the keys of earlier runs and would answer with their tweets."""
    return hashlib.blake2b(run_id.encode(), digest_size=8).hexdigest()
