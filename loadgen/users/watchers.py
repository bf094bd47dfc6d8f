"""Greenlets beside the load: they feed its self-watch, and stop it when the run that ordered it is dead."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import gevent

from loadgen import selfwatch
from loadgen.loadclock import LoadClock
from loadgen.selfwatch import SelfWatch
from reference_app.kit import lease


def heartbeat(watch: SelfWatch, clock: LoadClock) -> None:
    """Beats until it is killed; a late beat is a stall of the event loop."""
    while True:
        watch.beat(clock.seconds())
        gevent.sleep(selfwatch.BEAT_S)


def processor(watch: SelfWatch, clock: LoadClock) -> None:
    """Samples the CPU time of this process until it is killed."""
    while True:
        watch.cpu(clock.seconds(), time.process_time())
        gevent.sleep(selfwatch.CPU_EVERY_S)


def lease_lapse(chaos_dir: Path, run_id: str, stop: Callable[[], None]) -> None:
    """Returns after calling `stop` once the run does not hold the lab's lease any more."""
    while _held(chaos_dir, run_id):
        gevent.sleep(lease.RENEW_SECONDS)
    gevent.spawn(stop)


def _held(chaos_dir: Path, run_id: str) -> bool:
    held = lease.read(chaos_dir)
    return held is not None and held.run_id == run_id and lease.alive(held, now=time.time())
