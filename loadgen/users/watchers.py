"""Greenlets beside the load: they feed its self-watch, and stop it when the run that ordered it is dead."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import gevent

from loadgen import selfwatch
from loadgen.loadclock import LoadClock
from loadgen.selfwatch import Cpu, SelfWatch
from reference_app.kit import lease

SCHEDSTAT = Path("/proc/self/schedstat")
"""Of the main thread, in which everything runs: nanoseconds on a CPU, nanoseconds in which it was ready and waited for one, turns."""


def heartbeat(watch: SelfWatch, clock: LoadClock) -> None:
    """Beats until it is killed; a late beat is a stall of the event loop."""
    while True:
        watch.beat(clock.seconds(), time.process_time())
        gevent.sleep(selfwatch.BEAT_S)


def processor(watch: SelfWatch, clock: LoadClock) -> None:
    """Samples the CPU time of this process and both clocks until it is killed."""
    while True:
        watch.cpu(Cpu(clock.seconds(), time.process_time(), _waited_s()))
        watch.clocks(clock.seconds(), time.time())
        gevent.sleep(selfwatch.CPU_EVERY_S)


def lease_lapse(chaos_dir: Path, run_id: str, stop: Callable[[], None]) -> None:
    """Returns after calling `stop` once the run does not hold the lab's lease any more."""
    while _held(chaos_dir, run_id):
        gevent.sleep(lease.RENEW_SECONDS)
    gevent.spawn(stop)


def _held(chaos_dir: Path, run_id: str) -> bool:
    held = lease.read(chaos_dir)
    return held is not None and held.run_id == run_id and lease.alive(held, now=time.time())


def _waited_s() -> float:
    """Zero where the kernel does not say."""
    try:
        return int(SCHEDSTAT.read_text().split()[1]) / 1e9
    except (FileNotFoundError, IndexError):
        return 0.0
