"""A run that may inject, for tests of faults."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from chaos import events, undo
from chaos.faults.families import AnyFault
from chaos.session import Session
from reference_app.kit import lease
from reference_app.kit.home import Home
from reference_app.stack.control import Control
from tests.waiting import await_true

RUN = "20261121T000000Z-faults"
LONGEST_S = 60.0
"""No test takes so long, and nobody renews its lease."""


@contextmanager
def held(home: Home) -> Iterator[Session]:
    """The lab's lease, and nothing in force afterwards."""
    lease.take(home.chaos, RUN, now=time.time() + LONGEST_S)
    try:
        yield Session(home, RUN)
    finally:
        undo.replay(home, by="test")
        lease.release(home.chaos)


def lapsed(run: Session) -> bool:
    """Whether the fault that was taken back last had been ended by somebody else."""
    told = events.last(events.read(run.run_dir), "undone")
    return told is not None and "lapsed" in told.detail


def taken_back(run: Session, fault: AnyFault) -> None:
    """The fault lasted, its undo succeeds, nothing of it is left, and every component answers."""
    (undone,) = undo.replay(run.home, by="test")
    assert undone.error == ""
    assert not lapsed(run)
    assert not fault.in_effect(run.home)
    await_true(lambda: not Control(run.home).unanswered(), 5, lambda: str(Control(run.home).unanswered()))
