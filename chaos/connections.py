"""Who is connected with whom, as /proc tells it (proc_pid_net(5))."""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Iterator
from pathlib import Path


def local_ports(pid: int, to: Collection[int]) -> Iterator[int]:
    """Local ports of the process's connections to any of these ports."""
    own = set(_sockets(pid))
    for line in Path(f"/proc/{pid}/net/tcp").read_text().splitlines()[1:]:
        _, local, remote, *_, inode = line.split()[:10]
        if f"socket:[{inode}]" in own and _port(remote) in to:
            yield _port(local)


def _sockets(pid: int) -> Iterator[str]:
    for descriptor in Path(f"/proc/{pid}/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):  # closed meanwhile
            yield str(descriptor.readlink())


def _port(address: str) -> int:
    return int(address.partition(":")[2], 16)
