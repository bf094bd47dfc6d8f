"""Waits for what comes true by itself, for so long and no longer."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable
from typing import Any

POLL_S = 0.05


def await_true(condition: Callable[[], object], limit_s: float = 20, what: Callable[[], object] | str = "it did not come true") -> float:
    """Seconds until the condition held; it has to within the limit, or `what` is told."""
    began = time.monotonic()
    while not condition():
        assert time.monotonic() - began < limit_s, f"not within {limit_s:g} s: {what if isinstance(what, str) else what()}"
        time.sleep(POLL_S)
    return time.monotonic() - began


def freeze(process: subprocess.Popen[Any]) -> None:
    """SIGSTOP to a child. One of several threads answers for a moment after it was told to stop: that is waited for."""
    process.send_signal(signal.SIGSTOP)
    os.waitid(os.P_PID, process.pid, os.WSTOPPED)
