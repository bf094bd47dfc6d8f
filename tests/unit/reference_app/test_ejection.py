"""Nodes that a process leaves out of its own ring, and what that does to a value that changes meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, cast

import pytest

from reference_app.contract import storage
from reference_app.contract.profile import LAB
from reference_app.kit import errors
from reference_app.kit.cache import Cache
from reference_app.kit.ejection import Ejection
from reference_app.kit.membership import Membership
from reference_app.kit.ring import Ring
from reference_app.services.tweets.cache_nodes import CacheNodes

NODES = ("tweet-cache-0", "tweet-cache-1", "tweet-cache-2")
LIVING = b"1700000000000{}"


class Watched:
    """An ejection whose clock stands still unless it is moved."""

    def __init__(self, *, enabled: bool = True) -> None:
        self.now, self.ring = 0.0, Ring(NODES)
        self.ejection = Ejection(enabled=lambda: enabled, monotonic=lambda: self.now)

    def fails(self, node: str, times: int = LAB.ejection_failures) -> None:
        for _ in range(times):
            self.ejection.heard(node, ok=False)

    @property
    def nodes(self) -> tuple[str, ...]:
        return self.ejection.without(self.ring).nodes


def test_who_fails_twice_is_out_for_a_while_and_in_again() -> None:
    watched = Watched()
    watched.fails("tweet-cache-1")
    assert watched.nodes == ("tweet-cache-0", "tweet-cache-2")
    watched.now += LAB.ejection
    assert watched.nodes == NODES


def test_failures_count_in_a_row() -> None:
    watched = Watched()
    watched.fails("tweet-cache-1", LAB.ejection_failures - 1)
    watched.ejection.heard("tweet-cache-1", ok=True)
    watched.fails("tweet-cache-1", LAB.ejection_failures - 1)
    assert watched.nodes == NODES


def test_a_ring_never_becomes_empty_and_without_leave_nobody_is_out() -> None:
    everybody, forbidden = Watched(), Watched(enabled=False)
    for node in NODES:
        everybody.fails(node)
        forbidden.fails(node)
    assert everybody.nodes == forbidden.nodes == NODES


class Node:
    """A cache that keeps what it is told, also while it cannot be reached."""

    def __init__(self) -> None:
        self.held: dict[str, bytes] = {}
        self.reachable = True

    async def command(self, _name: str, *keys: str) -> list[bytes | None]:
        self._reached()
        return [self.held.get(key) for key in keys]

    async def run(self, _operation: str, work: Callable[[Any], Awaitable[Any]]) -> Any:
        self._reached()
        return await work(_Client(self.held))

    def _reached(self) -> None:
        if not self.reachable:
            raise errors.OutcomeUnknown("tweet-cache", "timeout")


class _Client:
    def __init__(self, held: dict[str, bytes]) -> None:
        self._held, self._results = held, list[bool]()

    def pipeline(self, *, transaction: bool) -> _Client:  # noqa: ARG002
        return self

    def set(self, key: str, value: bytes, *, px: int, nx: bool) -> None:  # noqa: ARG002
        if new := not nx or key not in self._held:
            self._held[key] = value
        self._results.append(new)

    async def execute(self) -> list[bool]:
        return self._results


@pytest.mark.parametrize(("ejecting", "comes_back"), [(True, True), (False, False)])
def test_a_deletion_that_an_ejected_node_missed_is_undone_when_it_comes_back(tmp_path: Path, ejecting: bool, comes_back: bool) -> None:  # noqa: FBT001
    watched = Watched(enabled=ejecting)
    nodes = {name: Node() for name in NODES}
    caches = cast("dict[str, Cache]", nodes)
    made = CacheNodes(caches, caches, Membership(tmp_path / "rings.json", "tweet-cache", NODES), watched.ejection)
    owner = nodes[watched.ring.node_of(7)]

    async def course() -> bool:
        await made.add({7: (LIVING, 60_000)})
        owner.reachable = False
        for _ in range(LAB.ejection_failures):
            await made.get([7])
        told = await made.mark({7: (storage.DELETED_TWEET, 60_000)})
        owner.reachable = True
        watched.now += LAB.ejection
        if not told:
            await made.mark({7: (storage.DELETED_TWEET, 60_000)})
        return (await made.get([7]))[7] == LIVING

    assert asyncio.run(course()) is comes_back
