"""Faults of the data itself: a statement without WHERE, which replicates everywhere. Its undo is a restore from backup and binlog."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from typing import ClassVar

from asyncmy.errors import MySQLError

from chaos.faults import databases
from chaos.faults.base import NotApplicableError, OnComponent, state_of
from reference_app.contract import storage
from reference_app.contract.topology import Component
from reference_app.kit import changes, sql
from reference_app.kit.home import Home
from reference_app.stack import binlog, errors, gtid, mariadb, promotion, restoring, shards
from reference_app.stack.binlog import Transaction

logger = logging.getLogger(__name__)
WITHOUT_KEY = 1175
"""What a server says to a DELETE or UPDATE that names no key, under safe updates (ER_UPDATE_WITHOUT_KEY_IN_SAFE_MODE)."""
DELETE_SECONDS, END_SECONDS = 60.0, 30.0
"""Of the statement, which may have many rows to delete; and of its rollback, when it took longer."""


class DeleteWithoutWhere(OnComponent, frozen=True, tag="delete_without_where"):
    """Every row of a table is gone, on the replica as well. `since` (GTID) is where the database was before: the culprit is behind it.

    With `safe_updates` the statement comes from a client that has them on, so the server refuses it (error 1175).
    """

    engine: ClassVar[str] = "sql"
    momentary: ClassVar[bool] = True

    table: str = "tweets"
    since: str = ""
    safe_updates: bool = False

    def check(self, home: Home) -> None:
        """It must be a primary that a backup exists of: without one nothing could be restored."""
        super().check(home)
        shard = _shard(home, self.component)
        try:
            restoring.backup_before(home, shard, _number(self.since) + 1)
        except errors.StackError as error:
            raise NotApplicableError(str(error)) from error

    def apply(self, home: Home) -> None:
        if self.sham:
            return
        try:
            asyncio.run(_execute(home.lab().component(self.component), *self._statements))
        except MySQLError as error:
            if not self.safe_updates or error.args[0] != WITHOUT_KEY:
                raise

    def undo(self, home: Home) -> None:
        """Restore what is gone, or finish a restore that was interrupted; then the roles are what they were. A sham left nothing to restore."""
        if self.sham:
            return
        shard = home.lab().component(self.component).shard
        if culprit := self._culprit(home):
            restoring.restore(home, restoring.without(home, shard, str(culprit.gtid)), by=changes.CHAOS, say=logger.info)
        else:
            restoring.finish(home, shard, say=logger.info)
        promotion.promote(home, self.component, by=changes.CHAOS, say=logger.info)

    def in_effect(self, home: Home) -> bool:
        return self._culprit(home) is not None

    def measured(self, home: Home) -> dict[str, float]:
        culprit = self._culprit(home)
        if culprit is None:
            return {"rows_deleted": 0.0} if self.safe_updates else {}
        return {"rows_deleted": float(culprit.touched)}

    @property
    def _statement(self) -> str:
        return f"DELETE FROM {storage.DATABASE}.{self.table}"  # noqa: S608 - it is the fault

    @property
    def _statements(self) -> tuple[str, ...]:
        """With what a client that was started with --safe-updates says first."""
        return (*(("SET SESSION sql_safe_updates = 1",) if self.safe_updates else ()), self._statement)

    def _culprit(self, home: Home) -> Transaction | None:
        """The deletion in the binlog of whoever is the primary now, a replica's has it too; none when a restore has left it out already."""
        primary, _ = shards.pair(home.lab(), self.component)
        logged = (t for t in binlog.read(home, primary) if t.gtid.number > _number(self.since))
        return next((t for t in logged if t.statements == [self._statement]), None)


def deletion(home: Home, component: str, table: str, *, safe_updates: bool = False) -> DeleteWithoutWhere:
    """The fault from where the database is now. Raises NotApplicableError for what is no primary, or does not answer."""
    _shard(home, component)
    try:
        ((position,),) = asyncio.run(databases.answer(home.lab().component(component), "SELECT @@gtid_current_pos"))
    except (OSError, TimeoutError, MySQLError) as error:
        raise NotApplicableError(f"{component} does not tell its position ({error}): `failwhale up` repairs the lab") from error
    return DeleteWithoutWhere(component, table=table, since=position, safe_updates=safe_updates)


async def _execute(component: Component, *statements: str) -> None:
    """One by one. What takes too long is killed, and committed or undone when this raises: the server would go on with it by itself."""
    async with asyncio.timeout(databases.ANSWER_SECONDS):
        connection = await sql.connect(component.port, user=storage.DATABASE_USER, autocommit=True)
    try:
        async with asyncio.timeout(DELETE_SECONDS), connection.cursor() as cursor:
            for statement in statements:
                await cursor.execute(statement)
    except TimeoutError:
        await _end(component, connection.thread_id())
        raise
    finally:
        connection.close()


async def _end(component: Component, thread: int) -> None:
    """Raises TimeoutError when the thread is not gone in time."""
    async with asyncio.timeout(END_SECONDS), mariadb.connected(component) as server:

        async def gone() -> bool:
            return not await server.value(f"COUNT(*) FROM information_schema.processlist WHERE id = {thread}")

        with contextlib.suppress(MySQLError):  # it has ended by itself
            await server.execute(f"KILL {thread}")
        await mariadb.until(gone)


def _shard(home: Home, component: str) -> str:
    state_of(home, component)
    found = home.lab().component(component)
    if not found.paired or found.role != "primary":
        raise NotApplicableError(f"{component} is not the primary of a pair: `failwhale shard list` shows who is")
    return found.shard


def _number(position: str) -> int:
    return max((known.number for known in gtid.position(position)), default=0)
