"""What was seeded, in `var/seed.json`: users have ids 1..users and handles `u<label in the source>`."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Seed:
    """`source` is the graph file's name or `synthetic`, `digest` tells its content; `top_followers` is the largest follower count."""

    users: int
    edges: int
    source: str
    directed: bool
    top_followers: int
    seeded_at: float
    digest: str = ""
