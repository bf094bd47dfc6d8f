"""A Redis of a benchmark's own, with the options of a timeline cache, on a core that the benchmark leaves to it."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import redis
import redis.exceptions

from failwhale import lab
from reference_app.contract.topology import Component
from reference_app.stack import render, servers
from reference_app.stack.errors import StackError

START_S = 5.0


@dataclass(frozen=True)
class RedisServer:
    """A server that answers. `component` is named as a timeline cache is."""

    component: Component
    pid: int

    @property
    def port(self) -> int:
        return self.component.port


@contextlib.contextmanager
def running(*, memory: str) -> Iterator[RedisServer]:
    """The server, limited to `memory` (`256mb`). It has the core of what is under test, and this process the other, until it ends."""
    allowed = os.sched_getaffinity(0)
    its, ours = lab.cores(sorted(allowed))
    directory = Path(tempfile.mkdtemp(prefix="failwhale-bench-redis-"))
    component = Component("timeline-cache-0", "redis", "timeline-cache", 0, _free_port(), shard="timeline-cache-0")
    options = [*render.redis_options(component, directory), "--maxmemory", memory]
    with (directory / "server.log").open("wb") as log:
        process = subprocess.Popen([servers.locate()["redis-server"], *options], stdout=log, stderr=log, start_new_session=True)
    try:
        os.sched_setaffinity(process.pid, its or allowed)
        os.sched_setaffinity(0, ours or allowed)
        _wait(process, component.port)
        yield RedisServer(component, process.pid)
    finally:
        os.sched_setaffinity(0, allowed)
        process.send_signal(signal.SIGKILL)
        process.wait(10)
        shutil.rmtree(directory, ignore_errors=True)


def _wait(process: subprocess.Popen[bytes], port: int) -> None:
    give_up_at = time.monotonic() + START_S
    with redis.Redis(port=port) as client:
        while time.monotonic() < give_up_at and process.poll() is None:
            with contextlib.suppress(redis.exceptions.ConnectionError):
                client.ping()
                return
            time.sleep(0.02)
    raise StackError(f"redis-server of the benchmark does not answer on port {port} within {START_S:g} s")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
