"""The `users` table."""

from __future__ import annotations

from collections.abc import Sequence

from reference_app.contract.api import Profile
from reference_app.kit import sql
from reference_app.services.users.domain import Account


class Users:
    """Raises kit.errors.CallError when the database cannot be asked."""

    def __init__(self, database: sql.Database) -> None:
        self._database = database

    async def insert(self, *, handle: str, password_hash: bytes) -> int:
        """The new user's id. Raises Duplicate when the handle is taken, in whatever case."""

        async def work(session: sql.Session) -> int:
            await session.execute("INSERT INTO users (handle, password_hash) VALUES (%s, %s)", (handle, password_hash))
            return await session.last_id()

        return await self._database.write("insert_user", work)

    async def find(self, handle: str) -> Account | None:
        """The account of a handle."""

        async def work(session: sql.Session) -> Sequence[sql.Row]:
            return await session.fetch("SELECT id, password_hash FROM users WHERE handle = %s", (handle,))

        rows = await self._database.read("find_user", work)
        return Account(*rows[0]) if rows else None

    async def profiles(self, ids: Sequence[int]) -> list[Profile]:
        """The profiles of those ids that exist, by id."""
        if not ids:
            return []

        async def work(session: sql.Session) -> Sequence[sql.Row]:
            return await session.fetch("SELECT id, handle FROM users WHERE id IN %s ORDER BY id", (tuple(ids),))

        return [Profile(*row) for row in await self._database.read("profiles", work)]
