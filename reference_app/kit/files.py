"""Files that survive a kill: atomic replacement, fsync where it was promised, append-only lines."""

from __future__ import annotations

import errno
import fcntl
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec

logger = logging.getLogger(__name__)


def write_atomic(path: Path, content: bytes, *, mode: int = 0o644, durable: bool = False) -> None:
    """Replace a file in one step; with `durable` the content and the rename are on disk before this returns."""
    path.parent.mkdir(parents=True, exist_ok=True)
    scratch = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            if durable:
                file.flush()
                os.fsync(file.fileno())
        scratch.replace(path)
    except OSError:
        scratch.unlink(missing_ok=True)
        raise
    if durable:
        _sync_directory(path.parent)


def write_json(path: Path, value: object, *, mode: int = 0o644, durable: bool = False) -> None:
    """`write_atomic` of the value as indented JSON. Dataclasses and msgspec Structs are encoded field by field."""
    write_atomic(path, msgspec.json.format(msgspec.json.encode(value), indent=2) + b"\n", mode=mode, durable=durable)


def remove_durably(path: Path) -> None:
    """Delete a file so that it stays deleted after a crash; no error when it is gone already."""
    path.unlink(missing_ok=True)
    _sync_directory(path.parent)


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """One process at a time in here; the next one waits. Whoever dies gives it up."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


class LineWriter:
    """Appends JSON lines, each in one write, so that a kill leaves whole lines only and several processes may share a file."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._path, self._encode = path, msgspec.json.Encoder().encode
        self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o644)
        size = os.fstat(self._descriptor).st_size
        self._torn = size > 0 and os.pread(self._descriptor, 1, size - 1) != b"\n"

    def write(self, value: object) -> None:
        """Append one value. Raises OSError, also when the disk had room for a part of it only; the next line begins anew all the same."""
        line = (b"\n" if self._torn else b"") + self._encode(value) + b"\n"
        written = os.write(self._descriptor, line)
        self._torn = written < len(line)
        if self._torn:
            raise OSError(errno.ENOSPC, "there was room for a part of a line only", str(self._path))

    def close(self) -> None:
        """Close the file."""
        os.close(self._descriptor)


def read_lines(path: Path) -> Iterator[dict[str, Any]]:
    """The JSON objects of a file of lines; a missing file has none, a torn line is left out."""
    yield from Tail(path).read()


def ends_with(path: Path, end: bytes) -> bool:
    """Whether the last bytes of a file are these. Raises OSError."""
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - len(end)))
        return file.read() == end


class Tail:
    """The JSON objects that were appended to a file of lines since the last look. The file need not exist yet; a torn last line waits."""

    def __init__(self, path: Path) -> None:
        self._path, self._offset = path, 0

    def read(self) -> Iterator[dict[str, Any]]:
        """What is new. A line that another follows although only its beginning could be written is left out, and logged."""
        if not self._path.exists():
            return
        with self._path.open("rb") as file:
            file.seek(self._offset)
            for line in file:
                if not line.endswith(b"\n"):
                    return
                self._offset += len(line)
                try:
                    value = msgspec.json.decode(line)
                except msgspec.DecodeError:
                    logger.warning("%s: the line that ends at byte %d is torn and left out", self._path, self._offset)
                else:
                    yield value


def _sync_directory(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
