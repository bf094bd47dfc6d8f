"""Faults of disks, and the small disk without which nothing real could be filled."""

from __future__ import annotations

from typing import Any

from chaoslib.exceptions import ActivityFailed

from chaos import aiming, session, undo
from chaos.actions.injecting import injected
from chaos.faults import disk
from chaos.faults.base import NotApplicableError
from chaos.faults.disk import DiskFull
from chaos.session import NotAllowedError
from chaos.targets import BadTargetError
from reference_app.kit.home import Home

__all__ = ["disk_full", "small_disk"]


def small_disk(component: str, room_mib: int = 32) -> str:
    """Move a database to a disk in memory that has so much room, until the run ends. Restarts it. Also in a rehearsal: it is no fault."""
    run = session.current(Home.from_environment())
    try:
        for name in aiming.meant(run, component):
            undo.inject(run, disk.small_disk(name, room_mib=room_mib), whole_run=True)
    except (NotApplicableError, NotAllowedError, BadTargetError) as refused:
        raise ActivityFailed(str(refused)) from refused
    return f"{component} has {room_mib} MiB left"


def disk_full(component: str, leave_kb: int = 4, configuration: dict[str, Any] | None = None) -> str:
    """Fill the small disk of a database but for so many KiB; `small_disk` has to come before."""
    return injected(DiskFull(component, leave_kb=leave_kb), configuration)
