"""Who listens on a port: read from /proc before anything is started, so that all clashes are reported at once."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

_LISTEN = "0A"
_LOOPBACK_OR_ANY = {"0100007F", "00000000", "0" * 32, "0000000000000000FFFF00000100007F"}
_SOCKET = re.compile(r"socket:\[(\d+)\]")


@dataclass(frozen=True)
class Listener:
    """A taken port; `pid` is None when the holder belongs to somebody else and this user may not look."""

    port: int
    pid: int | None
    command: str

    def __str__(self) -> str:
        return f"held by process {self.pid} ({self.command})" if self.pid else "held by a process of another user"


def listeners(ports: Iterable[int]) -> list[Listener]:
    """Who listens on these ports of 127.0.0.1, in order of ports."""
    wanted = set(ports)
    inodes = {inode: port for port, inode in _listening() if port in wanted}
    holders = _holders(set(inodes)) if inodes else {}
    taken = {port: holders.get(inode) for inode, port in inodes.items()}
    return [Listener(port, pid, _command(pid)) for port, pid in sorted(taken.items())]


def _listening() -> Iterator[tuple[int, str]]:
    """(port, socket inode) of every listening TCP socket that 127.0.0.1 reaches."""
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        if not Path(table).exists():
            continue
        for line in Path(table).read_text().splitlines()[1:]:
            fields = line.split()
            address, _, port = fields[1].partition(":")
            if fields[3] == _LISTEN and address in _LOOPBACK_OR_ANY:
                yield int(port, 16), fields[9]


def _holders(inodes: set[str]) -> dict[str, int]:
    """Socket inode -> a process that has it open."""
    found: dict[str, int] = {}
    for process in Path("/proc").glob("[0-9]*"):
        for inode in _sockets(process) & inodes:
            found.setdefault(inode, int(process.name))
    return found


def _sockets(process: Path) -> set[str]:
    try:
        entries = list((process / "fd").iterdir())
    except OSError:
        return set()
    return {match[1] for entry in entries if (match := _SOCKET.fullmatch(_target(entry)))}


def _target(link: Path) -> str:
    """Where a descriptor points to; empty when it was closed meanwhile."""
    try:
        return str(link.readlink())
    except OSError:
        return ""


def _command(pid: int | None) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ").strip()[:80]
    except OSError:
        return "gone"
