"""Chaos Toolkit in traps: what a trap is, what came of it, and what its experiments call."""

from __future__ import annotations

import os
import signal
import time
from typing import Any

import msgspec

from chaos import halt
from reference_app.kit import deciders
from reference_app.kit.home import Home

SWITCH = "replica_reads"
_looks = iter(range(1_000))


class Trap(msgspec.Struct, frozen=True):
    """`options` follow our own command line. Without a session the toolkit is called as anybody may do it. `halted` says why."""

    name: str
    document: dict[str, Any]
    options: list[str] = []
    session: bool = True
    inject_at: float = 0.0
    halted: str = ""


class Came(msgspec.Struct, frozen=True):
    """What came of it: exit code (negative for a signal), seconds, kinds of the faults that were left, and the switch at the end."""

    name: str
    exit_code: int
    seconds: float
    left: list[str]
    switch: int
    switch_after_replay: int


def answer(values: list[Any]) -> Any:
    """A probe: the next of these at each look, the last one for ever."""
    return values[min(next(_looks), len(values) - 1)]


def is_on() -> bool:
    """A probe: the switch."""
    return deciders.read(Home.from_environment().deciders_file)[SWITCH] == deciders.ON


def fail() -> None:
    """An action that cannot be done."""
    raise RuntimeError("planted")


def before_experiment_control(**_: Any) -> None:
    """A control that is broken."""
    raise RuntimeError("planted")


def wait(seconds: float) -> None:
    time.sleep(seconds)


def send(name: str) -> None:
    """An action during which somebody signals the toolkit."""
    os.kill(os.getpid(), getattr(signal, name))
    time.sleep(0.05)


def pull_halt(after_s: float) -> None:
    """Somebody halts chaos a moment later."""
    time.sleep(after_s)
    halt.pull(Home.from_environment().chaos, "real incident", now=time.time())
