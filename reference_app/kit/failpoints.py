"""Failpoints: named places where a test can have the process killed, as if by `kill -9` (FreeBSD fail(9); pingcap/failpoint).

Armed by a JSON object `{name: hits to let pass}` in `Home.failpoints_file`; arming is consumed by the first process that dies of it.
"""

from __future__ import annotations

import os
import signal
from pathlib import Path

import msgspec

from reference_app.kit import files

NAMES = (
    "post.before_insert",
    "post.after_commit",
    "post.after_reply",
    "delete.after_commit",
    "relay.after_publish",
    "fanout.mid_batch",
    "timeline.during_rebuild",
)


def arm(path: Path, name: str, *, skip: int = 0) -> None:
    """Have the next process that reaches `name` (after `skip` passes) kill itself."""
    if name not in NAMES:
        raise ValueError(f"no failpoint {name!r}; there are {', '.join(NAMES)}")
    files.write_json(path, {name: skip}, durable=True)


def disarm(path: Path) -> None:
    """Remove whatever is armed."""
    path.unlink(missing_ok=True)


class Failpoints:
    """A process's view of the file. Checking costs one failed `stat` while nothing is armed."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def hit(self, name: str) -> None:
        """Die here if armed."""
        if not self._path.exists():
            return
        armed: dict[str, int] = msgspec.json.decode(self._path.read_bytes())
        if name not in armed:
            return
        if armed[name] > 0:
            files.write_json(self._path, {name: armed[name] - 1}, durable=True)
            return
        disarm(self._path)
        os.kill(os.getpid(), signal.SIGKILL)
