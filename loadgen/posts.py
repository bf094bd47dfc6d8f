"""Posts given texts through the front door, so that whatever holds for tweets holds for these: ids, replicas, outbox, fan-out.

Author, text and key of the n-th post follow from file, number of users and seed. So the same posts again change nothing, and finish what was
interrupted.
"""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import httpx

from loadgen.model import arrivals
from loadgen.model.population import Population
from reference_app.contract import api, tokens
from reference_app.contract.topology import Lab

SENDERS, RATE_PER_S = 8, 200.0
TIMEOUT_S, TRIES, PAUSE_S = 5.0, 5, 0.5
AUTHOR_EXPONENT = 1.3
"""Of Zipf's law: a few users write most of it, as in the load presets."""
ACKNOWLEDGED, KNOWN, NO_ANSWER = "posted", "posted before", "no answer"

Advance = Callable[[int], None]


@dataclass(frozen=True)
class Post:
    """One tweet to be."""

    user: int
    key: str
    text: str


def plan(texts: Sequence[str], *, users: int, count: int, even: bool, seed: int) -> Iterator[Post]:
    """`count` posts; the texts come round again when there are fewer. `even` lets everybody write in turn, else a few write most."""
    mark = hashlib.blake2b("\0".join(texts).encode(), digest_size=8).hexdigest()
    authors = Population(range(1, users + 1), exponent=AUTHOR_EXPONENT, ranking=arrivals.stream(seed, "author ranks"))
    choice = arrivals.stream(seed, "authors of texts")
    for n in range(count):
        yield Post(1 + n % users if even else authors.pick(choice), f"{mark}-{n}", texts[n % len(texts)])


def send(lab: Lab, posts: Iterator[Post], advance: Advance) -> Counter[str]:
    """Send all, at most RATE_PER_S and SENDERS at once; `advance` hears how many are done. Returns their number by outcome."""
    return asyncio.run(_send(lab, posts, advance))


async def _send(lab: Lab, posts: Iterator[Post], advance: Advance) -> Counter[str]:
    outcomes: Counter[str] = Counter()
    due = _due_times(time.monotonic())

    async def sender(client: httpx.AsyncClient) -> None:
        for post in posts:  # the iterator is shared: each sender takes the next one
            await asyncio.sleep(max(0.0, next(due) - time.monotonic()))
            outcomes[await _posted(client, lab, post)] += 1
            advance(outcomes.total())

    async with httpx.AsyncClient(base_url=lab.entry_url, timeout=TIMEOUT_S, trust_env=False) as client, asyncio.TaskGroup() as senders:
        for _ in range(SENDERS):
            senders.create_task(sender(client))
    return outcomes


def _due_times(start: float) -> Iterator[float]:
    n = 0
    while True:
        yield start + n / RATE_PER_S
        n += 1


async def _posted(client: httpx.AsyncClient, lab: Lab, post: Post) -> str:
    """Retried with its key while the lab has a reason that passes."""
    headers = {"authorization": f"Bearer {_token(lab, post.user)}", api.IDEMPOTENCY_KEY: post.key}
    for _ in range(TRIES):
        try:
            answer = await client.post(api.TWEETS, json={"text": post.text}, headers=headers)
        except httpx.HTTPError:
            outcome = NO_ANSWER
        else:
            if answer.status_code < 500:
                return _outcome(answer)
            outcome = f"refused: {answer.status_code}"
        await asyncio.sleep(PAUSE_S)
    return outcome


def _outcome(answer: httpx.Response) -> str:
    if answer.is_success:
        return KNOWN if api.IDEMPOTENCY_REPLAYED in answer.headers else ACKNOWLEDGED
    return f"refused: {answer.json()['error']['code']}"


def _token(lab: Lab, user: int) -> str:
    return tokens.sign(user, key=lab.signing_key, expires_at=int(time.time()) + tokens.LIFETIME_S)
