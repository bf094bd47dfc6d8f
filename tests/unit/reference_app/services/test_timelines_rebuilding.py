"""A follow or unfollow beside a rebuild or a look at the graph: what was read before it is not what is shown, kept or remembered after it."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from reference_app.contract.api import Following, TweetIds
from reference_app.instrumentation.recorder import Recorder
from reference_app.kit import errors
from reference_app.kit.deciders import Deciders
from reference_app.kit.failpoints import Failpoints
from reference_app.services.timelines.people import People
from reference_app.services.timelines.rebuilding import Rebuilding

USER, OLD, NEW = 7, 11, 12


class Peers:
    """Tells whom the user follows as of the question, and when it may answer."""

    def __init__(self) -> None:
        self.followees, self.answer, self.asked = [OLD], asyncio.Event(), asyncio.Event()

    async def following(self, _user_id: int, *, celebrity_over: int) -> Following:  # noqa: ARG002 - as it is called
        found = list(self.followees)
        self.asked.set()
        await self.answer.wait()
        return Following(found, [], [])

    async def newest_of(self, user_ids: list[int], _limit: int) -> TweetIds:
        return TweetIds(sorted((user_id * 100 for user_id in user_ids), reverse=True), complete=True)


class Lists:
    """A cache that takes what it is given."""

    def __init__(self) -> None:
        self.stored: list[list[int]] = []

    async def begin(self, _user_id: int) -> int:
        return 0

    async def merge(self, _user_id: int, _epoch: int, ids: list[int], *, ttl_s: float) -> bool:  # noqa: ARG002
        self.stored.append(ids)
        return True


def _people(peers: Any, tmp_path: Path) -> People:
    return People(peers, Deciders(tmp_path / "deciders.json"))


def test_a_read_after_a_follow_does_not_join_the_rebuild_that_began_before_it(tmp_path: Path) -> None:
    async def follow_meanwhile() -> tuple[Any, Any, list[list[int]]]:
        peers: Any = Peers()
        lists: Any = Lists()
        rebuilding = Rebuilding(
            lists, peers, _people(peers, tmp_path), failpoints=Failpoints(tmp_path / "failpoints.json"), recorder=Recorder()
        )
        before = asyncio.create_task(rebuilding.rebuild(USER))
        await peers.asked.wait()
        peers.followees.append(NEW)
        rebuilding.forget(USER)
        after = asyncio.create_task(rebuilding.rebuild(USER))
        await asyncio.sleep(0)
        peers.answer.set()
        return (await before).ids, (await after).ids, lists.stored

    before, after, stored = asyncio.run(follow_meanwhile())
    assert (before, after) == ([OLD * 100], [NEW * 100, OLD * 100])
    assert stored == [after], "what was read before the follow replaces nothing"


def test_a_rebuild_that_nobody_disturbs_is_stored_and_shared(tmp_path: Path) -> None:
    async def twice() -> tuple[list[list[int]], list[int]]:
        peers: Any = Peers()
        peers.answer.set()
        lists: Any = Lists()
        rebuilding = Rebuilding(
            lists, peers, _people(peers, tmp_path), failpoints=Failpoints(tmp_path / "failpoints.json"), recorder=Recorder()
        )
        one, other = await asyncio.gather(rebuilding.rebuild(USER), rebuilding.rebuild(USER))
        return lists.stored, [*one.ids, *other.ids]

    assert asyncio.run(twice()) == ([[OLD * 100]], [OLD * 100] * 2)


def test_a_rebuild_for_which_no_time_is_left_to_be_stored_serves_the_page_all_the_same(tmp_path: Path) -> None:
    class Late(Lists):
        async def merge(self, _user_id: int, _epoch: int, _ids: list[int], *, ttl_s: float) -> bool:  # noqa: ARG002
            raise errors.AppError("deadline_exceeded", "the caller waits no more")

    async def once() -> list[int]:
        peers: Any = Peers()
        peers.answer.set()
        lists: Any = Late()
        rebuilding = Rebuilding(
            lists, peers, _people(peers, tmp_path), failpoints=Failpoints(tmp_path / "failpoints.json"), recorder=Recorder()
        )
        return list((await rebuilding.rebuild(USER)).ids)

    assert asyncio.run(once()) == [OLD * 100]


def test_whom_a_user_followed_before_a_change_is_not_remembered_after_it(tmp_path: Path) -> None:
    async def follow_meanwhile() -> frozenset[int]:
        peers: Any = Peers()
        people = _people(peers, tmp_path)
        asking = asyncio.create_task(people.circle(USER))
        await peers.asked.wait()
        peers.followees.append(NEW)
        people.forget(USER)
        peers.answer.set()
        await asking
        return (await people.circle(USER)).followees

    assert asyncio.run(follow_meanwhile()) == {OLD, NEW}
