"""Backups of a database: a consistent dump that knows the last transaction it holds, below `backups/`; and loading one into an empty server.

Binlogs are kept, so a backup and the binlog from its position on are every state since then.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from reference_app.contract import storage
from reference_app.contract.topology import Component
from reference_app.kit import files
from reference_app.kit.home import Home
from reference_app.stack import errors, mariadb, replication, servers, shards

KEPT = 5
"""Backups of a database beyond these are deleted, oldest first."""
SECONDS = 120.0
"""Of one dump, or of loading it."""
_POSITION = re.compile(rb"^-- SET GLOBAL gtid_slave_pos='([0-9,-]*)';$", re.MULTILINE)
_IDENTITY = "identity"
_DATA, _ABOUT = "data.sql", "backup.json"


@dataclass(frozen=True)
class Backup:
    """`position` (GTID) is the last transaction that is in it; `taken_at` Unix seconds, when the dump began."""

    id: str
    shard: str
    source: str
    taken_at: float
    position: str
    bytes: int
    seconds: float


def take(home: Home, source: Component) -> Backup:
    """Dump the server that `source` is, without stopping anybody. Raises StackError when that fails or it is no whole copy; then there is no backup."""
    began, started = time.time(), time.monotonic()
    name = f"{source.shard}-{datetime.fromtimestamp(began, UTC):%Y%m%dT%H%M%S.%f}Z"
    copied_at = shards.done(_copied_at(source, home.lab().identity_key))
    with _scratch(home, name) as directory:
        dump = directory / _DATA
        _dump(source, dump)
        made = Backup(
            name, source.shard, source.name, began, _position(dump) or copied_at, dump.stat().st_size, round(time.monotonic() - started, 3)
        )
        files.write_json(directory / _ABOUT, made, durable=True)
    for old in list_all(home, source.shard)[KEPT:]:
        shutil.rmtree(home.backups / old.id)
    return made


def list_all(home: Home, shard: str = "") -> list[Backup]:
    """Backups of a database, or of all, newest first."""
    complete = (path for path in home.backups.glob(f"*/{_ABOUT}") if not path.parent.name.startswith("."))
    found = (msgspec.json.decode(path.read_bytes(), type=Backup) for path in complete)
    return sorted((b for b in found if shard in ("", b.shard)), key=lambda b: b.taken_at, reverse=True)


async def load(home: Home, backup: Backup, copy: mariadb.Server) -> None:
    """Fill an empty server, which then is where the backup was. It does not say yet which shard it is: see `identify`."""
    async with copy.unlogged():
        await copy.execute(f"CREATE DATABASE {storage.DATABASE} CHARACTER SET utf8mb4")
    with (home.backups / backup.id / _DATA).open("rb") as dump:
        _run(_client("mariadb", copy.component, "--init-command=SET SESSION sql_log_bin=0", storage.DATABASE), stdin=dump)
    await copy.execute(f"SET GLOBAL gtid_slave_pos = '{backup.position}'")


async def identify(copy: mariadb.Server, identity_key: str) -> None:
    """Let a copy say which shard it is, once it is complete: before, nobody may take what it lacks for deleted."""
    async with copy.unlogged():
        await copy.execute(f"USE {storage.DATABASE}", *replication.schema("identity.sql"))
        await copy.rows("INSERT IGNORE INTO identity VALUES (%s, %s)", copy.component.shard, identity_key)


async def _copied_at(source: Component, identity_key: str) -> str:
    """Where a server was when it was made from another's data, in whose binlog it has nothing yet: the dump tells no position then."""
    async with mariadb.connected(source) as server:
        await replication.check_identity(server, identity_key)
        return str(await server.value("@@gtid_slave_pos"))


def _dump(source: Component, target: Path) -> None:
    options = ("--single-transaction", "--master-data=2", "--gtid", "--hex-blob", f"--ignore-table={storage.DATABASE}.{_IDENTITY}")
    _run(_client("mariadb-dump", source, *options, f"--result-file={target}", storage.DATABASE))


def _position(dump: Path) -> str:
    found = _POSITION.search(dump.read_bytes())
    if found is None:
        raise errors.StackError(f"{dump} does not tell its position: the dump was cut short")
    return found[1].decode()


def _client(program: str, server: Component, *arguments: str) -> tuple[str, ...]:
    where = ("--protocol=tcp", "--host=127.0.0.1", f"--port={server.port}", f"--user={storage.DATABASE_USER}")
    return (servers.client(program), "--no-defaults", *where, *arguments)


def _run(command: Sequence[str], **more: object) -> None:
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False, **more)  # type: ignore[call-overload]
    except subprocess.TimeoutExpired:
        raise errors.StackError(f"{Path(command[0]).name} was not done within {SECONDS:g} s") from None
    if done.returncode != 0:
        raise errors.StackError(f"{Path(command[0]).name} failed: {done.stderr.strip()}")


@contextmanager
def _scratch(home: Home, name: str) -> Iterator[Path]:
    """A directory that appears under its name only when it is complete. What a kill left of another one is deleted."""
    for left in home.backups.glob(".*"):
        shutil.rmtree(left)
    scratch = home.backups / f".{name}"
    scratch.mkdir(parents=True)
    try:
        yield scratch
        scratch.rename(home.backups / name)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
