"""Benchmark `telemetry`: what metrics, logs, traces and hindsight cost one service per request, beside OpenTelemetry's SDK at 100 %.

All variants are the same small service (failwhale/bench/small_endpoint.py), saturated by wrk. A request makes 4/3 calls, as one
service does for a warm home page, and one in a hundred is sampled, as with the default of `trace_sampling`. The calls go nowhere, so what
is measured is telemetry and nothing else.
"""

from __future__ import annotations

import contextlib
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from failwhale.bench import measure, model, wrk
from failwhale.bench.model import Bench, Measured, Terms
from failwhale.bench.small_endpoint import AUTO, BEHIND, ENTRY, NONE, SDK, SINK
from reference_app.stack.errors import StackError

CONNECTIONS, WINDOW_S, START_S = 8, 2, 20.0
SCRIPT = Path(__file__).with_name("telemetry.lua")
BAR = 15.0
BESIDE = (ENTRY, SDK, AUTO)
"""Variants that are told and not judged, over a quarter of the pairs."""


@dataclass
class Small:
    """A running variant, and what wrk saw of it."""

    variant: str
    pid: int
    port: int
    loads: list[wrk.Load] = field(default_factory=list)

    def cost(self) -> float:
        """CPU seconds per request, all threads, over one window."""
        return measure.cpu_of([self.pid], self._drive)

    @property
    def per_s(self) -> float:
        """Requests a second at saturation, the best window."""
        return max(load.per_s for load in self.loads)

    def _drive(self) -> int:
        script = wrk.SCRIPT if self.variant == ENTRY else SCRIPT
        self.loads.append(wrk.run(f"http://127.0.0.1:{self.port}/things/7", connections=CONNECTIONS, seconds=WINDOW_S, script=script))
        return self.loads[-1].requests


def run(terms: Terms) -> Measured:
    """Microseconds per request over none, and what part of the throughput is kept."""
    with running(SINK) as sink, contextlib.ExitStack() as stack:
        small = {variant: stack.enter_context(running(variant, sink=sink.port)) for variant in (NONE, BEHIND, *BESIDE)}
        pairs = measure.in_turn(small[BEHIND].cost, small[NONE].cost, pairs=terms.pairs, say=terms.say)
        beside = {
            variant: measure.in_turn(small[variant].cost, small[NONE].cost, pairs=max(2, terms.pairs // 4), say=terms.say)
            for variant in BESIDE
        }
    extra = model.microseconds_over(pairs)
    absolute: dict[str, Any] = {
        "none_us": model.geometric([none for _, none in pairs]).value * 1e6,
        "requests_per_s": {variant: round(one.per_s) for variant, one in small.items()},
        "throughput_kept": {variant: round(one.per_s / small[NONE].per_s, 3) for variant, one in small.items() if variant != NONE},
        "over_none_us": {variant: round(model.microseconds_over(found).value, 1) for variant, found in beside.items()},
        "connections": CONNECTIONS,
    }
    return Measured(extra, len(pairs), absolute)


@contextlib.contextmanager
def running(variant: str, *, sink: int = 0) -> Iterator[Small]:
    """A variant on some free port, on the core of what is under test; the sink beside it. Raises StackError when it does not come up."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    core = wrk.tool_core() if variant == SINK else wrk.tested_core()
    command = [*core, sys.executable, "-m", "failwhale.bench.small_endpoint", variant, str(port), str(sink)]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    try:
        _await(server, variant, port)
        yield Small(variant, server.pid, port)
    finally:
        server.kill()
        server.wait()


def _await(server: subprocess.Popen[bytes], variant: str, port: int) -> None:
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline and server.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise StackError(
        f"the variant {variant!r} of the small service did not come up: are the development dependencies installed (scripts/setup.sh --tests)?"
    )


BENCH = Bench(
    name="telemetry",
    meaning="Microseconds of CPU time that telemetry adds to a request in one service behind the gateway (`behind`): the ratio is a difference, in us. "
    "Beside it: `none` has none, `entry` is the gateway's, `sdk` OpenTelemetry's SDK at 100 %, `auto` its ASGI auto-instrumentation.",
    better="lower",
    against="the same service without any telemetry, in us",
    bar=BAR,
    run=run,
)
