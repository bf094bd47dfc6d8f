"""A lease on the lab: whoever runs a drill renews it each second; when it lapses, faults are undone and load stops.

One run at a time: `take` refuses while another live holder has it. The file is the whole state, so a reader needs no holder.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import msgspec

from reference_app.kit import files

LEASE_SECONDS, RENEW_SECONDS = 5.0, 1.0


@dataclass(frozen=True)
class Lease:
    """`holder_started` tells a live holder from a stranger that got its pid (kernel start time, clock ticks since boot)."""

    run_id: str
    holder_pid: int
    holder_started: int
    expires_at: float


class LeaseHeldError(Exception):
    """Another run holds the lab."""


def path(chaos_dir: Path) -> Path:
    """The lease file below `Home.chaos`."""
    return chaos_dir / "lease.json"


def read(chaos_dir: Path) -> Lease | None:
    """The lease as it stands, lapsed or not; None when nobody took one. A file that cannot be read is nobody's: faults are undone then."""
    try:
        return msgspec.json.decode(path(chaos_dir).read_bytes(), type=Lease)
    except (FileNotFoundError, msgspec.DecodeError):
        return None


def alive(lease: Lease | None, *, now: float) -> bool:
    """True while the lease is current and its holder lives."""
    return lease is not None and now < lease.expires_at and process_started(lease.holder_pid) == lease.holder_started


def living(chaos_dir: Path, *, now: float) -> str | None:
    """The run that holds the lab, None when nobody does."""
    held = read(chaos_dir)
    return held.run_id if held is not None and alive(held, now=now) else None


def take(chaos_dir: Path, run_id: str, *, now: float) -> Lease:
    """Take or renew the lease for this process. Raises LeaseHeldError while another live process holds it."""
    with files.locked(chaos_dir / "lease.lock"):  # two that look at the same moment would both find nobody
        held = read(chaos_dir)
        if held is not None and held.holder_pid != os.getpid() and alive(held, now=now):
            raise LeaseHeldError(
                f"run {held.run_id} (process {held.holder_pid}) holds this lab: wait for it, or end it with `failwhale down`"
            )
        lease = Lease(run_id, os.getpid(), process_started(os.getpid()) or 0, now + LEASE_SECONDS)
        files.write_json(path(chaos_dir), lease, durable=held is None)
        return lease


def release(chaos_dir: Path) -> None:
    """Give the lease back; no error when it is not held."""
    files.remove_durably(path(chaos_dir))


def process_started(pid: int) -> int | None:
    """Start time of a process in clock ticks since boot (field 22 of /proc/PID/stat), None when it is gone or a zombie."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None
    fields = stat.rpartition(")")[2].split()
    return None if fields[0] in "ZX" else int(fields[19])
