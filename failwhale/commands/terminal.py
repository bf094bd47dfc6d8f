"""How commands talk: progress and complaints on stderr, one JSON object or a table on stdout."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterable

import msgspec
from rich.console import Console
from rich.table import Table


def obey_interrupts() -> None:
    """SIGINT and SIGTERM raise KeyboardInterrupt from now on. What a script starts in its background inherits an ignored SIGINT."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)


def say(line: str) -> None:
    """Progress."""
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()


def complain(line: str) -> None:
    """An error, as a sentence."""
    say(f"failwhale: {line}")


def emit(value: object) -> None:
    """The one JSON object of `--json`."""
    sys.stdout.write(msgspec.json.encode(value).decode() + "\n")
    sys.stdout.flush()


def write(lines: Iterable[str]) -> None:
    """Lines of an answer, on stdout."""
    sys.stdout.writelines(f"{line}\n" for line in lines)


def show(table: Table) -> None:
    """A table for people."""
    Console().print(table)
