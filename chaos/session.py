"""The run that this process belongs to, and whether it may act now.

Under a drill the environment names the run directory and the drill holds the lease; in a plain `chaos run` the toolkit's own
process holds it (`chaos.holder`), and the lease names the run.
"""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from chaos import halt
from reference_app.contract import plan
from reference_app.kit import lease
from reference_app.kit.home import Home

RUN_DIR_VARIABLE = "FAILWHALE_RUN_DIR"


class NoSessionError(Exception):
    """This process belongs to no run."""


class NotAllowedError(Exception):
    """Chaos is halted, the run's lease lapsed, or the lab is none for the experiment."""


@dataclass(frozen=True)
class Session:
    """One run in one lab."""

    home: Home
    run_id: str

    @property
    def run_dir(self) -> Path:
        return self.home.runs / self.run_id

    def plan(self) -> plan.Plan | None:
        """The drill's plan; None in a plain `chaos run`."""
        try:
            return msgspec.json.decode((self.run_dir / plan.FILE).read_bytes(), type=plan.Plan)
        except FileNotFoundError:
            return None

    def why_not(self, *, now: float) -> str | None:
        """Why this run must not act at this moment; None when it may."""
        halted = halt.read(self.home.chaos)
        if halted:
            return f"chaos is halted: {halted.reason} (`failwhale chaos resume` allows it again)"
        held = lease.read(self.home.chaos)
        if held is None or held.run_id != self.run_id or not lease.alive(held, now=now):
            return f"run {self.run_id} does not hold the lab's lease"
        return None

    def require_allowed(self) -> None:
        """Raise NotAllowedError unless the run may act now."""
        reason = self.why_not(now=time.time())
        if reason:
            raise NotAllowedError(reason)


def current(home: Home) -> Session:
    """The run of this process; NoSessionError when neither the environment nor the lease says that there is one."""
    run_dir = os.environ.get(RUN_DIR_VARIABLE)
    if run_dir:
        return Session(home, Path(run_dir).name)
    held = lease.read(home.chaos)
    if held is not None and held.holder_pid == os.getpid():
        return Session(home, held.run_id)
    raise NoSessionError("this process belongs to no run: its experiment must list the control chaos.controls.recorder")


def new_run_id(name: str, *, now: float) -> str:
    """Sorts by time: `20261121T024500Z-kill-tweet-shard`."""
    return f"{datetime.fromtimestamp(now, UTC):%Y%m%dT%H%M%SZ}-{name}"
