"""Drives a server with wrk: a closed loop over some connections, from a core of its own where there are two."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import msgspec

from failwhale import lab
from reference_app.stack.errors import StackError

SCRIPT = Path(__file__).with_name("wrk.lua")
SLACK_S = 30


@dataclass(frozen=True)
class Load:
    """What wrk saw; `requests` were answered, `failed` of them badly or not at all."""

    requests: int
    failed: int
    seconds: float
    p50_ms: float
    p99_ms: float

    @property
    def per_s(self) -> float:
        """Answers a second."""
        return self.requests / self.seconds


def run(url: str, *, connections: int, seconds: int, tokens: Path | None = None, posts: str = "", script: Path = SCRIPT) -> Load:
    """Ask for `url` with the tokens in turn, or post with idempotency keys that begin with `posts`, or do as `script` says. Raises StackError when a request fails."""
    command = [
        *tool_core(), _binary(), "-t1", f"-c{connections}", f"-d{seconds}s", "-s", str(script), url, "--", str(tokens or "-"), posts or "-",
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, timeout=seconds + SLACK_S, check=False)
    if done.returncode != 0:
        raise StackError(f"wrk failed: {done.stderr or done.stdout}")
    load = msgspec.json.decode(done.stdout.strip().rpartition("\n")[2], type=Load)
    if load.failed or not load.requests:
        raise StackError(f"{load.failed} of {load.requests} requests to {url} failed, so their cost says nothing")
    return load


def tool_core() -> tuple[str, ...]:
    """Prefix of a command that shall run beside what is measured."""
    return _on(lab.cores(sorted(os.sched_getaffinity(0)))[1])


def tested_core() -> tuple[str, ...]:
    """Prefix of a command that shall run where the lab's services run."""
    return _on(lab.cores(sorted(os.sched_getaffinity(0)))[0])


def _on(cores: Iterable[int]) -> tuple[str, ...]:
    listed = ",".join(map(str, cores))
    return ("taskset", "-c", listed) if listed else ()


def _binary() -> str:
    found = shutil.which("wrk")
    if found is None:
        raise StackError("wrk is not installed: apt-get install wrk (scripts/setup.sh does it)")
    return found
