"""A disk that is full: a database is moved to a small disk beforehand, and a ballast file then takes all but a little of it.

MariaDB does not fail: a commit that finds no room for the binlog waits, looks again once a minute, and holds up all others meanwhile; a data
file that cannot grow ends the server.
"""

from __future__ import annotations

import logging
import os
import time
from pathlib import Path
from typing import ClassVar

from asyncmy.errors import MySQLError

from chaos import disks, events
from chaos.faults import databases
from chaos.faults.base import NotApplicableError, OnComponent, UnavailableError, bring_back
from reference_app.kit import files
from reference_app.kit.home import Home
from reference_app.stack import errors, shards
from reference_app.stack.control import Control

logger = logging.getLogger(__name__)
SMALLEST_ROOM_MIB = 16
"""A server that starts takes 12 MiB for temporary tables."""
BALLAST = "failwhale.ballast"
FILL_SECONDS = 5.0


class _OnDisk(OnComponent, frozen=True):
    engine: ClassVar[str] = "tmpfs"

    def available(self) -> None:
        if reason := disks.why_not():
            raise UnavailableError(f"{self.kind} is not possible here: {reason}")

    def check(self, home: Home) -> None:
        super().check(home)
        if (kind := home.lab().component(self.component).kind) != "mariadb":
            raise NotApplicableError(f"{self.component} is a {kind} and no database")

    def _directory(self, home: Home) -> Path:
        return home.data / self.component


class SmallDisk(_OnDisk, frozen=True, tag="small_disk"):
    """The database is on a disk in memory with so much room left: a preparation, which restarts it once now and once when it is taken back."""

    event: ClassVar[events.Name] = "prepared"

    room_mib: int = 32
    boot: str = ""
    """Of the machine by then (disks.boot_id)."""

    def check(self, home: Home) -> None:
        if self.room_mib < SMALLEST_ROOM_MIB:
            raise NotApplicableError(f"room_mib is {self.room_mib}: it has to be {SMALLEST_ROOM_MIB} or more")
        super().check(home)
        if self.in_effect(home):
            raise NotApplicableError(f"{self.component} is on a small disk already: `failwhale chaos undo` takes it back")

    def apply(self, home: Home) -> None:
        files.write_atomic(self._begun(home), b"", durable=True)
        shards.hold_down(Control(home), self.component)
        disks.put(self._directory(home), room_bytes=self.room_mib << 20)
        bring_back(home, self.component)

    def undo(self, home: Home) -> None:
        """After a restart of the machine, what was acknowledged since the preparation is with the replica alone: raises StackError while that
        is no primary. Without a replica it is lost.
        """
        component = home.lab().component(self.component)
        if self.boot != disks.boot_id() and self._begun(home).exists() and component.role == "primary":
            happened = f"the machine was started again while {self.component} was on a disk in memory"
            if component.paired:
                raise errors.StackError(
                    f"{happened}: promote its replica (`failwhale shard promote {component.shard}`), "
                    f"then make this one anew (`failwhale shard rebuild {component.shard}`)"
                )
            logger.warning("%s and has no replica: what was written to it since the preparation is lost", happened)
        if self.in_effect(home):
            shards.hold_down(Control(home), self.component)
        disks.take_away(self._directory(home))
        bring_back(home, self.component)
        self._begun(home).unlink(missing_ok=True)

    def in_effect(self, home: Home) -> bool:
        return disks.mounted(self._directory(home))

    def measured(self, home: Home) -> dict[str, float]:
        """What is left of the disk."""
        return {"free_kib": float(disks.free(self._directory(home)) >> 10)}

    def _begun(self, home: Home) -> Path:
        """It is there from before the disk is until it is taken back: a disk in memory leaves no trace when the machine ends."""
        return home.chaos / f"small-disk-{self.component}"


class DiskFull(_OnDisk, frozen=True, tag="disk_full"):
    """All but `leave_kb` KiB of the database's small disk are taken. Its undo starts the server again, which else would wait for up to a minute."""

    leave_kb: int = 4

    def check(self, home: Home) -> None:
        super().check(home)
        if not disks.mounted(self._directory(home)):
            raise NotApplicableError(f"{self.component} is on no small disk that could be filled: the action small_disk has to come first")
        if self.in_effect(home):
            raise NotApplicableError(f"the disk of {self.component} is full already: `failwhale chaos undo` takes it back")

    def apply(self, home: Home) -> None:
        """Raises OSError when the disk cannot be filled."""
        deadline = time.monotonic() + FILL_SECONDS
        with self._ballast(home).open("wb") as file:
            while not self.sham and (wanted := disks.free(self._directory(home)) - (self.leave_kb << 10)) > 0:
                try:
                    os.posix_fallocate(file.fileno(), os.fstat(file.fileno()).st_size, wanted)
                except OSError as error:  # the server was faster: what is left now?
                    if time.monotonic() >= deadline:
                        left = f"{wanted >> 10} KiB of the disk of {self.component} could not be taken"
                        raise OSError(error.errno, f"{left}: {error.strerror}") from error

    def undo(self, home: Home) -> None:
        if self.in_effect(home) and not self.sham:
            shards.hold_down(Control(home), self.component)
        self._ballast(home).unlink(missing_ok=True)
        bring_back(home, self.component)

    def in_effect(self, home: Home) -> bool:
        return self._ballast(home).exists()

    def measured(self, home: Home) -> dict[str, float]:
        """What is left of the disk, and statements that wait for it."""
        left = {"free_kib": float(disks.free(self._directory(home)) >> 10)}
        try:
            return left | {"statements_waiting": databases.statements_waiting(home.lab().component(self.component))}
        except (OSError, TimeoutError, MySQLError):  # it ended for want of room
            return left

    def _ballast(self, home: Home) -> Path:
        return self._directory(home) / BALLAST


def small_disk(component: str, *, room_mib: int) -> SmallDisk:
    """On this machine as it was started last."""
    return SmallDisk(component, room_mib=room_mib, boot=disks.boot_id())
