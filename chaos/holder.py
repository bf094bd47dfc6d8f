"""Holding the lab's lease: a daemon thread renews it each second until the run ends or the lease is lost."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

from reference_app.kit import lease

logger = logging.getLogger(__name__)


class Holder(threading.Thread):
    """`with Holder(...)`: one run at a time. Raises LeaseHeldError on entry while another run holds the lab."""

    def __init__(self, chaos_dir: Path, run_id: str, *, clock: Callable[[], float] = time.time) -> None:
        super().__init__(name=f"lease-{run_id}", daemon=True)
        self._chaos_dir, self.run_id, self._clock = chaos_dir, run_id, clock
        self._ended = threading.Event()
        self._lost = threading.Event()

    @property
    def lost(self) -> bool:
        """True once the lease lapsed under us: the reaper has undone the faults and this run must end."""
        return self._lost.is_set()

    def hold(self) -> Self:
        """Take the lease and renew it from now on."""
        lease.take(self._chaos_dir, self.run_id, now=self._clock())
        self.start()
        return self

    def release(self) -> None:
        """Give the lease back; no error when it was lost."""
        self._ended.set()
        self.join()
        held = lease.read(self._chaos_dir)
        if held is not None and held.run_id == self.run_id:
            lease.release(self._chaos_dir)

    def run(self) -> None:
        while not self._ended.wait(lease.RENEW_SECONDS):
            if not self._renew():
                self._lost.set()
                return

    def _renew(self) -> bool:
        """True while the lease is ours. One that cannot be written down (a full disk) is tried again until it lapses."""
        now = self._clock()
        held = lease.read(self._chaos_dir)
        if held is None or held.run_id != self.run_id or not lease.alive(held, now=now):
            return False
        try:
            lease.take(self._chaos_dir, self.run_id, now=now)
        except lease.LeaseHeldError:
            return False
        except OSError as error:
            logger.warning("the lease of run %s could not be renewed: %s", self.run_id, error)
        return True

    def __enter__(self) -> Self:
        return self.hold()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        self.release()


def of_this_process() -> Holder | None:
    """The holder that runs in this process, if any. Chaos Toolkit's controls are modules, so they have no place of their own to keep it."""
    return next((thread for thread in threading.enumerate() if isinstance(thread, Holder)), None)
