"""Benchmark `fault-proxy`: microseconds that the fault proxy adds to a request while it has no toxic, at 500 requests a second.

Both ways lead to one Redis: straight, and through the proxy as a fault starts it, less the packet rules. A request is a GET of a tweet's
length on one of some connections, timed from its sending to the last byte of its answer; the next one is sent when it is due. Compared
are medians of short windows, because what else the machine does meets some requests on either way; the means are told beside them, and
the CPU time that the proxy takes.
"""

from __future__ import annotations

import contextlib
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import httpx

from failwhale.bench import measure, model, redis_server
from failwhale.bench.model import Bench, Measured, Terms
from failwhale.bench.redis_server import RedisServer
from reference_app.kit.home import REPOSITORY
from reference_app.stack.errors import StackError

PER_S, WINDOW_S = 500, 1.0
PAIRS_EACH = 3
"""Windows are short, so there are so many times more pairs than usual."""
CONNECTIONS, VALUE_BYTES = 8, 400
BAR_US = 200.0
START_S, ANSWER_S = 15.0, 5.0
KEY = b"tweet"
REQUEST = b"*2\r\n$3\r\nGET\r\n$%d\r\n%b\r\n" % (len(KEY), KEY)
ANSWER_BYTES = len(b"$%d\r\n" % VALUE_BYTES) + VALUE_BYTES + 2


@dataclass
class Way:
    """Connections to the same server; `latencies` of every request so far, window by window, in seconds."""

    connections: Sequence[socket.socket]
    windows: list[list[float]] = field(default_factory=list)

    def median(self) -> float:
        """Of one more window."""
        latencies, began = list[float](), time.perf_counter()
        for number in range(int(PER_S * WINDOW_S)):
            time.sleep(max(0.0, began + number / PER_S - time.perf_counter()))
            latencies.append(_asked(self.connections[number % CONNECTIONS]))
        self.windows.append(latencies)
        return statistics.median(latencies)

    def quantile_us(self, q: float) -> float:
        """The median over windows of what a share of `q` of their requests did not exceed."""
        return statistics.median(model.percentile(window, q).value for window in self.windows) * 1e6

    @property
    def means(self) -> list[float]:
        return [statistics.fmean(window) for window in self.windows]

    @property
    def requests(self) -> int:
        return sum(map(len, self.windows))


def run(terms: Terms) -> Measured:
    """The difference between both ways, and how long a request takes on each."""
    with redis_server.running(memory="64mb") as server, _proxied(server) as proxy, contextlib.ExitStack() as stack:
        _fill(server)
        through, straight = (Way([stack.enter_context(_connected(port)) for _ in range(CONNECTIONS)]) for port in (proxy.port, server.port))
        before = measure.cpu_s([proxy.pid])
        pairs = measure.in_turn(through.median, straight.median, pairs=PAIRS_EACH * terms.pairs, say=terms.say)
        cpu_us = (measure.cpu_s([proxy.pid]) - before) * 1e6 / through.requests
    added_mean = model.microseconds_over(list(zip(through.means, straight.means, strict=True)))
    absolute = {
        "straight_p50_us": straight.quantile_us(0.5),
        "through_p50_us": through.quantile_us(0.5),
        "straight_p99_us": straight.quantile_us(0.99),
        "through_p99_us": through.quantile_us(0.99),
        "added_mean_us": added_mean.value,
        "added_mean_low_us": added_mean.low,
        "added_mean_high_us": added_mean.high,
        "proxy_cpu_us": cpu_us,
        "requests_per_s": PER_S,
        "connections": CONNECTIONS,
    }
    return Measured(model.microseconds_over(pairs), len(pairs), absolute)


@dataclass(frozen=True)
class Proxy:
    """A process, and the port on which it leads to the server."""

    pid: int
    port: int


@contextlib.contextmanager
def _proxied(server: RedisServer) -> Iterator[Proxy]:
    """A proxy before the server, in a process as faults start it. Raises StackError when it does not come up."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        api = f"http://127.0.0.1:{probe.getsockname()[1]}"
    process = subprocess.Popen([sys.executable, "-m", "chaos.proxy", api.rpartition(":")[2]], cwd=REPOSITORY)
    try:
        _await(process, api)
        wanted = {"name": "redis", "listen": "127.0.0.1:0", "upstream": f"127.0.0.1:{server.port}"}
        made = httpx.post(f"{api}/proxies", json=wanted, timeout=ANSWER_S, trust_env=False).raise_for_status().json()
        yield Proxy(process.pid, int(made["listen"].rpartition(":")[2]))
    finally:
        process.kill()
        process.wait()


def _await(process: subprocess.Popen[bytes], api: str) -> None:
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline and process.poll() is None:
        with contextlib.suppress(httpx.TransportError):
            httpx.get(f"{api}/version", timeout=ANSWER_S, trust_env=False)
            return
        time.sleep(0.05)
    raise StackError(f"the fault proxy did not come up within {START_S:g} s")


def _fill(server: RedisServer) -> None:
    with _connected(server.port) as connection:
        connection.sendall(b"*3\r\n$3\r\nSET\r\n$%d\r\n%b\r\n$%d\r\n%b\r\n" % (len(KEY), KEY, VALUE_BYTES, b"x" * VALUE_BYTES))
        if (told := connection.recv(100)) != b"+OK\r\n":
            raise StackError(f"the Redis of the benchmark refused what should be read: {told!r}")


def _connected(port: int) -> socket.socket:
    connection = socket.create_connection(("127.0.0.1", port), timeout=ANSWER_S)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection


def _asked(connection: socket.socket) -> float:
    """Seconds until the whole answer is there. Raises StackError when it is another one."""
    sent = time.perf_counter()
    connection.sendall(REQUEST)
    left = ANSWER_BYTES
    while left > 0:
        received = connection.recv(left)
        if not received:
            raise StackError("a connection of the benchmark ended: the fault proxy, or the Redis behind it, is gone")
        left -= len(received)
    return time.perf_counter() - sent


BENCH = Bench(
    name="fault-proxy",
    meaning=f"Microseconds that the fault proxy without toxics adds to a request at {PER_S} requests a second: the ratio is a difference, in us.",
    better="lower",
    against="the same server without the proxy, in us",
    bar=BAR_US,
    run=run,
)
