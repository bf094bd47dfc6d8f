"""Transactions in the binlog of a database, as `mariadb-binlog` tells them: which statements, how many rows of which tables, when."""

from __future__ import annotations

import os
import subprocess
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from reference_app.contract.topology import Component
from reference_app.kit.home import Home
from reference_app.stack import bootstrap, errors, gtid, servers
from reference_app.stack.gtid import Gtid

STATEMENT_MAX = 200
_BEGINS, _STATEMENT, _ROW = "\tGTID ", "#Q> ", "### "
_ENDS = ("COMMIT/*!*/", "ROLLBACK/*!*/")
"""As they were logged: `mariadb-binlog` adds a ROLLBACK of its own behind everything."""
_CUT_OFF = "Event truncated"
_VERBS = {"INSERT": "insert", "UPDATE": "update", "DELETE": "delete"}
_FRAME = ("#", "/*", "SET ", "use ", "START TRANSACTION", "BEGIN", "COMMIT", "ROLLBACK", "DELIMITER")
"""What surrounds a statement that is logged as text."""


@dataclass
class Transaction:
    """`before` is the position of all that precedes it; `at` Unix seconds, whole ones; `rows` counts by `verb table`."""

    gtid: Gtid
    before: str
    at: float
    statements: list[str] = field(default_factory=list)
    rows: Counter[str] = field(default_factory=Counter)

    @property
    def touched(self) -> int:
        """How many rows it changed."""
        return self.rows.total()

    @property
    def text(self) -> str:
        """Its statements, cut to a readable length."""
        whole = "; ".join(self.statements)
        return whole if len(whole) <= STATEMENT_MAX else f"{whole[:STATEMENT_MAX]}…"


def read(home: Home, server: Component) -> Iterator[Transaction]:
    """All transactions that the binlog files of a server hold; it need not run.

    File by file: in one that a crash cut off, the last transaction is not whole, and its number is given again in the next.
    """
    logs = sorted(bootstrap.directory(home, server).glob("binlog.[0-9]*"))
    if not logs:
        raise errors.StackError(f"{bootstrap.directory(home, server)} has no binlog")
    before = ""
    for log in logs:
        for transaction in _of_file(log, before):
            yield transaction
            before = str(transaction.gtid)


def _of_file(log: Path, before: str) -> Iterator[Transaction]:
    command = [servers.client("mariadb-binlog"), "--no-defaults", "--base64-output=decode-rows", "-v", str(log)]
    in_utc = os.environ | {"TZ": "UTC"}
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, errors="replace", env=in_utc) as reading:
        assert reading.stdout is not None  # noqa: S101 - it is a pipe
        assert reading.stderr is not None  # noqa: S101
        yield from parsed(reading.stdout, before)
        complaint = reading.stderr.read()
    if reading.returncode or ("ERROR" in complaint and _CUT_OFF not in complaint):
        raise errors.StackError(f"the binlog {log} cannot be read: {complaint.strip() or Path(command[0]).name}")


def parsed(lines: Iterable[str], before: str = "") -> Iterator[Transaction]:
    """Transactions from the output of `mariadb-binlog -v`, behind the position `before`. One without its end was never committed."""
    current: Transaction | None = None
    whole = False
    for line in lines:
        if line.startswith("#") and _BEGINS in line:
            if current is not None:
                yield current
                before = str(current.gtid)
            number, *flags = line.partition(_BEGINS)[2].split()
            current, whole = Transaction(gtid.parse(number), before, _time(line)), "trans" not in flags
        elif current is not None:
            whole = whole or line.startswith(_ENDS)
            _add(current, line)
    if current is not None and whole:
        yield current


def _add(transaction: Transaction, line: str) -> None:
    if line.startswith(_ROW):
        verb, _, rest = line[len(_ROW) :].partition(" ")
        if verb in _VERBS:
            transaction.rows[f"{_VERBS[verb]} {rest.rpartition('.')[2].strip().strip('`')}"] += 1
    elif line.startswith(_STATEMENT):
        transaction.statements.append(line[len(_STATEMENT) :].strip())
    elif line.strip() and not line.startswith(_FRAME):
        transaction.statements.append(line.removesuffix("/*!*/;\n").strip())


def _time(line: str) -> float:
    """`#261121  9:12:14 server id …`, in UTC as it was asked to be."""
    day, clock = line[1:].split()[:2]
    return datetime.strptime(f"{day} {clock}", "%y%m%d %H:%M:%S").replace(tzinfo=UTC).timestamp()
