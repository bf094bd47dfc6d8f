"""How clients behave when an answer is late or bad: how long they wait, whether they ask again, and after what pause.

A load with reacting clients stays an open loop: the arrivals of its plan leave when they are due, and what answers bring about comes on top.
"""

from __future__ import annotations

import random
from dataclasses import dataclass

from loadgen.history import Op


@dataclass(frozen=True)
class Pause:
    """Seconds before the next attempt: the first, then doubled up to the longest; `jitter` is the part of it that the draw may take away."""

    first_s: float
    longest_s: float
    jitter: float = 0.0

    def seconds(self, attempt: int, draw: random.Random) -> float:
        """The pause after that attempt."""
        return min(self.longest_s, self.first_s * 2.0 ** (attempt - 1)) * (1 - self.jitter * draw.random())


IMMEDIATE = Pause(0.0, 0.0)
EXPONENTIAL = Pause(0.25, 4.0, jitter=0.5)


@dataclass(frozen=True)
class Clients:
    """`timeout_s` after its sending a request is given up. The attempts for one thing that a user wants count the first one, and every reaction.

    A page that failed is loaded again by all, one that took longer than `slow_s` by `refresh_share` of those who waited for it. Of those
    whose author's page failed or took as long, `back_share` go back to their home page instead.
    """

    name: str
    label: str
    timeout_s: float = 5.0
    read_attempts: int = 1
    post_attempts: int = 5
    pause: Pause = EXPONENTIAL
    obey_retry_after: bool = True
    slow_s: float = float("inf")
    refresh_share: float = 0.0
    back_share: float = 0.0

    def attempts(self, op: Op) -> int:
        """How many requests there are at most for one thing that a user wants."""
        return self.post_attempts if op == "post" else self.read_attempts


PATIENT = Clients("patient", "wait 5 s; posts are tried five times with growing pauses, pages once")
IMPATIENT = Clients(
    "impatient",
    "give up after 1 s and ask again at once, three times, whatever a server asks for",
    timeout_s=1.0,
    read_attempts=4,
    post_attempts=4,
    pause=IMMEDIATE,
    obey_retry_after=False,
)
"""A client whose timeout is shorter than the server's queue leaves its work behind and brings more: the loop that keeps a system down once its
trigger is gone (Bronson et al., Metastable Failures in Distributed Systems, HotOS 2021; retries sustain half of the outages in Huang et al., OSDI 2022)."""
RESTLESS = Clients(
    "restless",
    "people: a page that failed is loaded again within seconds, one that took 2 s by four of five; half leave an author's by the back button",
    read_attempts=4,
    pause=Pause(1.0, 1.0, jitter=0.5),
    slow_s=2.0,
    refresh_share=0.8,
    back_share=0.5,
)
"""The shares are ours. 2 s and 1 s are where people lose patience and their train of thought (Nah, Behaviour & IT 2004; Miller, AFIPS 1968)."""

CLIENTS = {clients.name: clients for clients in (PATIENT, IMPATIENT, RESTLESS)}
