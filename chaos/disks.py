"""Small disks: a file system in memory mounted over a data directory, so that what is written there meets its end for real.

The directory's owner must be down meanwhile. At every moment one place holds the truth: the disk while it is mounted, else a finished copy
of it (`.NAME.returned`), else the directory; so whoever is interrupted, the next one goes on from there.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

PATIENCE_SECONDS, AGAIN_SECONDS = 3.0, 0.05
BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


class DiskError(Exception):
    """A small disk could not be mounted, or not be taken away; the message is that of mount."""


def why_not() -> str:
    """Why nothing can be mounted here, in a sentence; empty when it can."""
    if os.geteuid() != 0:
        return "mounting a small disk needs root"
    with tempfile.TemporaryDirectory(prefix="failwhale-disk-") as directory:
        try:
            _run("mount", "-t", "tmpfs", "-o", "size=64k", "failwhale", directory)
        except DiskError as error:
            return f"nothing can be mounted here: {error}"
        _unmount(Path(directory))
    return ""


def boot_id() -> str:
    """Another one after each start of the machine, which forgets what a disk in memory held."""
    return BOOT_ID.read_text().strip()


def mounted(directory: Path) -> bool:
    return os.path.ismount(directory)


def put(directory: Path, *, room_bytes: int) -> None:
    """From now on the directory is on a disk of what it holds and `room_bytes` more. Raises DiskError."""
    scratch = _beside(directory, "disk")
    scratch.mkdir()
    _run("mount", "-t", "tmpfs", "-o", f"mode=700,size={used(directory) + room_bytes}", "failwhale", str(scratch))
    _run("cp", "-a", f"{directory}/.", str(scratch))
    _run("mount", "--bind", str(scratch), str(directory))
    _drop(scratch)


def take_away(directory: Path) -> None:
    """The directory is where it was, with what the disk held; nothing when there is no disk. Raises DiskError."""
    _drop(_beside(directory, "disk"))
    returning, returned, former = (_beside(directory, name) for name in (f"returning.{os.getpid()}", "returned", "former"))
    copies = list(directory.parent.glob(f".{directory.name}.returning*"))  # a cp outlives who is killed, and may still be at it
    if mounted(directory):
        for old in (*copies, returned):
            shutil.rmtree(old, ignore_errors=True)
        _run("cp", "-aT", str(directory), str(returning))
        os.sync()
        returning.rename(returned)
        _unmount(directory)
    if returned.exists():
        if directory.exists():
            directory.rename(former)
        returned.rename(directory)
    for old in (*copies, former):
        shutil.rmtree(old, ignore_errors=True)


def used(directory: Path) -> int:
    """Bytes that the files below it occupy, in whole pages, as a file system in memory counts them."""
    page = os.sysconf("SC_PAGE_SIZE")
    return sum(-(-entry.stat().st_size // page) * page for entry in directory.rglob("*") if entry.is_file()) + page


def free(directory: Path) -> int:
    """Bytes that are left."""
    return shutil.disk_usage(directory).free


def _beside(directory: Path, name: str) -> Path:
    return directory.with_name(f".{directory.name}.{name}")


def _drop(scratch: Path) -> None:
    if not scratch.exists():
        return
    if mounted(scratch):
        _unmount(scratch)
    scratch.rmdir()


def _unmount(directory: Path) -> None:
    """Again for a while when it is busy: somebody may just be looking at a file."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            return _run("umount", str(directory))
        except DiskError:
            if time.monotonic() >= deadline:
                raise
        time.sleep(AGAIN_SECONDS)


def _run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise DiskError(done.stderr.strip() or f"{command[0]} exited with {done.returncode}")
