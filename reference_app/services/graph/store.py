"""SQL of one graph shard."""

from __future__ import annotations

from collections.abc import Sequence

from reference_app.kit.sql import Session
from reference_app.services.graph.domain import Edge, State

_FORWARD = "follower_id = %s AND followee_id = %s"


async def set_forward(session: Session, edge: Edge, *, active: bool) -> State | None:
    """Change the forward row, in the caller's transaction, which holds its lock from here on; None when there is none to end."""
    if active:
        await session.execute(
            "INSERT INTO followees (follower_id, followee_id) VALUES (%s, %s)"
            " ON DUPLICATE KEY UPDATE version = version + 1 - active, active = 1",
            edge,
        )
    else:
        await session.execute(f"UPDATE followees SET version = version + 1, active = 0 WHERE {_FORWARD} AND active = 1", edge)  # noqa: S608
    rows = await session.fetch(f"SELECT version, active FROM followees WHERE {_FORWARD}", edge)  # noqa: S608
    return State(rows[0][0], bool(rows[0][1])) if rows else None


async def set_backward(session: Session, edge: Edge, state: State) -> None:
    """Make the backward row and the followee's count follow that state, unless they know a newer one."""
    key = (edge.followee_id, edge.follower_id)
    await session.execute(
        "INSERT INTO followers (followee_id, follower_id, version, active) VALUES (%s, %s, 0, 0) ON DUPLICATE KEY UPDATE version = version",
        key,
    )
    rows = await session.fetch("SELECT version, active FROM followers WHERE followee_id = %s AND follower_id = %s FOR UPDATE", key)
    version, active = rows[0]
    if state.version <= version:
        return
    await session.execute(
        "UPDATE followers SET version = %s, active = %s WHERE followee_id = %s AND follower_id = %s",
        (state.version, int(state.active), *key),
    )
    if state.active != bool(active):
        await _add_to_count(session, edge.followee_id, 1 if state.active else -1)


async def _add_to_count(session: Session, user_id: int, change: int) -> None:
    statement = "INSERT INTO follower_counts (user_id, followers) VALUES (%s, %s) ON DUPLICATE KEY UPDATE followers = followers + %s"
    await session.execute(statement, (user_id, change, change))


async def add_pending(session: Session, edge: Edge, state: State) -> None:
    """Note that the backward row is still to be written."""
    statement = "REPLACE INTO pending_edges (follower_id, followee_id, version) VALUES (%s, %s, %s)"
    await session.execute(statement, (*edge, state.version))


async def clear_pending(session: Session, edge: Edge, state: State) -> None:
    """The backward row has that state; a note of a later one stays."""
    await session.execute(f"DELETE FROM pending_edges WHERE {_FORWARD} AND version = %s", (*edge, state.version))  # noqa: S608


async def pending(session: Session, after: Edge, limit: int) -> list[tuple[Edge, State]]:
    """Edges above `after` whose backward row is still to be written, with the state to write."""
    rows = await session.fetch(
        "SELECT follower_id, followee_id, followees.version, active FROM pending_edges JOIN followees USING (follower_id, followee_id)"
        " WHERE (follower_id, followee_id) > (%s, %s) ORDER BY follower_id, followee_id LIMIT %s",
        (*after, limit),
    )
    return [(Edge(row[0], row[1]), State(row[2], bool(row[3]))) for row in rows]


async def followees(session: Session, user_id: int, limit: int) -> list[int]:
    """Whom the user follows, ascending."""
    query = "SELECT followee_id FROM followees WHERE follower_id = %s AND active = 1 ORDER BY followee_id LIMIT %s"
    return await _ids(session, query, (user_id, limit))


async def among(session: Session, user_id: int, ids: Sequence[int]) -> list[int]:
    """Those of `ids` that the user follows, ascending."""
    query = "SELECT followee_id FROM followees WHERE follower_id = %s AND followee_id IN %s AND active = 1 ORDER BY followee_id"
    return await _ids(session, query, (user_id, tuple(ids)))


async def followers(session: Session, user_id: int, *, after: int, limit: int) -> list[int]:
    """Who follows the user, ascending, above the id `after`."""
    query = "SELECT follower_id FROM followers WHERE followee_id = %s AND follower_id > %s AND active = 1 ORDER BY follower_id LIMIT %s"
    return await _ids(session, query, (user_id, after, limit))


async def count_followers(session: Session, user_id: int) -> int:
    """How many follow the user."""
    found = await _ids(session, "SELECT followers FROM follower_counts WHERE user_id = %s", (user_id,))
    return found[0] if found else 0


async def followed_by_more_than(session: Session, user_ids: Sequence[int], followers: int) -> list[int]:
    """Those of the users that have more followers than that."""
    return await _ids(session, "SELECT user_id FROM follower_counts WHERE user_id IN %s AND followers > %s", (tuple(user_ids), followers))


async def add_block(session: Session, blocker_id: int, blocked_id: int) -> None:
    """Block; the follows between the two are to be ended."""
    statement = "INSERT INTO blocks (blocker_id, blocked_id) VALUES (%s, %s) ON DUPLICATE KEY UPDATE pending = 1"
    await session.execute(statement, (blocker_id, blocked_id))


async def settle_block(session: Session, blocker_id: int, blocked_id: int) -> None:
    """The follows between the two were ended."""
    await session.execute("UPDATE blocks SET pending = 0 WHERE blocker_id = %s AND blocked_id = %s", (blocker_id, blocked_id))


async def remove_block(session: Session, blocker_id: int, blocked_id: int) -> None:
    """Unblock; no change when there is no such block."""
    await session.execute("DELETE FROM blocks WHERE blocker_id = %s AND blocked_id = %s", (blocker_id, blocked_id))


async def blocks(session: Session, blocker_id: int, blocked_id: int) -> bool:
    """Whether one blocks the other; in a transaction it waits for a block that is being written."""
    query = "SELECT 1 FROM blocks WHERE blocker_id = %s AND blocked_id = %s LOCK IN SHARE MODE"
    return bool(await session.fetch(query, (blocker_id, blocked_id)))


async def blocked_by(session: Session, user_id: int) -> list[int]:
    """Whom the user blocks."""
    return await _ids(session, "SELECT blocked_id FROM blocks WHERE blocker_id = %s", (user_id,))


async def pending_blocks(session: Session, limit: int) -> list[tuple[int, int]]:
    """(blocker, blocked) between whom follows are still to be ended."""
    return [
        (row[0], row[1]) for row in await session.fetch("SELECT blocker_id, blocked_id FROM blocks WHERE pending = 1 LIMIT %s", (limit,))
    ]


async def _ids(session: Session, query: str, parameters: Sequence[object]) -> list[int]:
    return [row[0] for row in await session.fetch(query, parameters)]
