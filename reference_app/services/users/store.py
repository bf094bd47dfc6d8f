"""The `users` table."""

from __future__ import annotations

from collections.abc import Sequence

from reference_app.contract.api import Profile
from reference_app.kit import sql
from reference_app.kit.shard import Shard
from reference_app.services.users.domain import Account


class Users:
    """Raises kit.errors.CallError when the database cannot be asked."""

    def __init__(self, shard: Shard) -> None:
        self._shard = shard

    async def insert(self, *, handle: str, password_hash: bytes) -> int:
        """The new user's id. Raises Duplicate when the handle is taken, in whatever case."""

        async def work(session: sql.Session) -> int:
            await session.execute("INSERT INTO users (handle, password_hash) VALUES (%s, %s)", (handle, password_hash))
            return await session.last_id()

        return await self._shard.primary.write("insert_user", work)

    async def find(self, handle: str) -> Account | None:
        """The account of a handle."""
        rows = await self._rows("find_user", "SELECT id, password_hash FROM users WHERE handle = %s", handle)
        return Account(*rows[0]) if rows else None

    async def profile(self, handle: str) -> Profile | None:
        """The profile of a handle, in whatever case."""
        rows = await self._rows("profile_by_handle", "SELECT id, handle FROM users WHERE handle = %s", handle)
        return Profile(*rows[0]) if rows else None

    async def profiles(self, ids: Sequence[int]) -> list[Profile]:
        """The profiles of those ids that exist, by id."""
        if not ids:
            return []
        rows = await self._rows("profiles", "SELECT id, handle FROM users WHERE id IN %s ORDER BY id", tuple(ids))
        return [Profile(*row) for row in rows]

    async def _rows(self, operation: str, statement: str, parameter: object) -> Sequence[sql.Row]:
        async def work(session: sql.Session) -> Sequence[sql.Row]:
            return await session.fetch(statement, (parameter,))

        rows, _ = await self._shard.read(operation, work)
        return rows
