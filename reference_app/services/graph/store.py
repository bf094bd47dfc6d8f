"""The `follows` table: its primary key reads followees, its other key followers."""

from __future__ import annotations

from collections.abc import Sequence

from reference_app.kit import sql


class Follows:
    """Raises kit.errors.CallError when the database cannot be asked."""

    def __init__(self, database: sql.Database) -> None:
        self._database = database

    async def put(self, *, follower_id: int, followee_id: int) -> None:
        """Follow; no change when the edge exists."""
        statement = "INSERT INTO follows (follower_id, followee_id) VALUES (%s, %s) ON DUPLICATE KEY UPDATE follower_id = follower_id"
        await self._write("put_edge", statement, (follower_id, followee_id))

    async def delete(self, *, follower_id: int, followee_id: int) -> None:
        """Unfollow; no change when there is no such edge."""
        statement = "DELETE FROM follows WHERE follower_id = %s AND followee_id = %s"
        await self._write("delete_edge", statement, (follower_id, followee_id))

    async def followees(self, user_id: int, *, limit: int) -> list[int]:
        """Whom the user follows, ascending."""
        query = "SELECT followee_id FROM follows WHERE follower_id = %s ORDER BY followee_id LIMIT %s"
        return await self._ids("followees", query, (user_id, limit))

    async def followers(self, user_id: int, *, after: int, limit: int) -> list[int]:
        """Who follows the user, ascending, above the id `after`."""
        query = "SELECT follower_id FROM follows WHERE followee_id = %s AND follower_id > %s ORDER BY follower_id LIMIT %s"
        return await self._ids("followers", query, (user_id, after, limit))

    async def count_followers(self, user_id: int) -> int:
        """How many follow the user."""
        return (await self._ids("count_followers", "SELECT COUNT(*) FROM follows WHERE followee_id = %s", (user_id,)))[0]

    async def among(self, user_id: int, ids: Sequence[int]) -> list[int]:
        """Those of `ids` that the user follows, ascending."""
        if not ids:
            return []
        query = "SELECT followee_id FROM follows WHERE follower_id = %s AND followee_id IN %s ORDER BY followee_id"
        return await self._ids("among", query, (user_id, tuple(ids)))

    async def _ids(self, operation: str, query: str, parameters: Sequence[object]) -> list[int]:
        async def work(session: sql.Session) -> Sequence[sql.Row]:
            return await session.fetch(query, parameters)

        return [row[0] for row in await self._database.read(operation, work)]

    async def _write(self, operation: str, statement: str, parameters: Sequence[object]) -> None:
        async def work(session: sql.Session) -> None:
            await session.execute(statement, parameters)

        await self._database.write(operation, work)
