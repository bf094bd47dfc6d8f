"""The reader and the committed lab rules against a real Prometheus that scrapes an exporter of ours."""

from __future__ import annotations

import shutil
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from reference_app.query.prometheus import Prometheus, PrometheusUnreachableError, QueryRefusedError
from tests.waiting import await_true

REPOSITORY = Path(__file__).resolve().parents[2]
UP = 'component_up{component="users-0",kind="service"}'

CONFIG = """
global: {{scrape_interval: 1s, scrape_timeout: 900ms, evaluation_interval: 1s}}
rule_files: ["{rules}"]
scrape_configs:
  - job_name: exporter
    honor_labels: true
    static_configs: [{{targets: ["127.0.0.1:{port}"], labels: {{component: prober, kind: prober}}}}]
  - job_name: traced
    metrics_path: /traced
    static_configs: [{{targets: ["127.0.0.1:{port}"]}}]
"""
TRACE = "0af7651916cd43dd8448eb211c80319c"
TRACED = f"""# TYPE wait histogram
wait_bucket{{le="0.1"}} 4 # {{trace_id="{"0" * 32}"}} 0.04 1700000000
wait_bucket{{le="1.0"}} 5 # {{trace_id="{TRACE}"}} 0.7
wait_bucket{{le="+Inf"}} 6 # {{user="42"}} 3.0
wait_count 6
wait_sum 3.9
# EOF
"""
OPEN_METRICS = "application/openmetrics-text; version=1.0.0; charset=utf-8"


@dataclass
class Exporter:
    """Serves whatever `values` holds."""

    values: dict[str, float] = field(default_factory=dict)

    def serve(self) -> ThreadingHTTPServer:
        exporter = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                traced = self.path == "/traced"
                body = TRACED if traced else "".join(f"{series} {value}\n" for series, value in exporter.values.items())
                self.send_response(200)
                self.send_header("Content-Type", OPEN_METRICS if traced else "text/plain; version=0.0.4")
                self.end_headers()
                self.wfile.write(body.encode())

            def log_message(self, *_: object) -> None:
                """Quiet."""

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        return server


@dataclass
class Server:
    """A Prometheus that can be stopped and started on the same data."""

    directory: Path
    port: int
    process: subprocess.Popen[bytes] | None = None

    @property
    def reader(self) -> Prometheus:
        return Prometheus(f"http://127.0.0.1:{self.port}")

    def start(self) -> None:
        program = shutil.which("prometheus")
        if program is None:
            pytest.skip("prometheus is not installed: run scripts/setup.sh")
        flags = [
            f"--config.file={self.directory}/prometheus.yml",
            f"--storage.tsdb.path={self.directory}/data",
            "--enable-feature=exemplar-storage",
        ]
        with (self.directory / "server.log").open("ab") as log:
            self.process = subprocess.Popen([program, *flags, f"--web.listen-address=127.0.0.1:{self.port}"], stdout=log, stderr=log)

    def stop(self) -> None:
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(15)

    def firing(self) -> list[tuple[str, str]]:
        alerts = self.reader.active_alerts()
        return [(a.name, a.labels["component"]) for a in alerts if a.state == "firing"]

    def scraped(self) -> bool:
        try:
            return any(sample.value == 1 for sample in self.reader.instant('up{kind="prober"}'))
        except (PrometheusUnreachableError, QueryRefusedError):
            return False


@pytest.fixture(scope="module")
def exporter() -> Iterator[tuple[Exporter, int]]:
    source = Exporter({UP: 1, "posts_total": 5, "odd": float("nan")})
    server = source.serve()
    yield source, server.server_port
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def server(exporter: tuple[Exporter, int], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    directory = tmp_path_factory.mktemp("prometheus")
    rules = REPOSITORY / "deploy/_gen/rules/lab.yml"
    (directory / "prometheus.yml").write_text(CONFIG.format(rules=rules, port=exporter[1]))
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        server = Server(directory, probe.getsockname()[1])
    server.start()
    await_true(server.scraped, 20)
    yield server
    server.stop()


def test_counts_are_exact_and_a_series_born_in_the_window_counts_from_zero(exporter: tuple[Exporter, int], server: Server) -> None:
    values = exporter[0].values
    await_true(lambda: [s.value for s in server.reader.instant("posts_total")] == [5], 5)
    started = time.time()
    values |= {"posts_total": 12, 'posts_total{result="refused"}': 3}
    await_true(lambda: sum(s.value for s in server.reader.instant("posts_total")) == 15, 5)
    assert server.reader.increase("posts_total", started, time.time()) == 10
    values["posts_total"] = 2  # a restart
    await_true(lambda: sum(s.value for s in server.reader.instant("posts_total")) == 5, 5)
    assert server.reader.increase("posts_total", started, time.time()) == 12


def test_samples_that_are_no_measurements_are_dropped(server: Server) -> None:
    assert server.reader.instant("odd") == []
    assert [series.points for series in server.reader.range("odd", time.time() - 5, time.time())] in ([], [[]])
    (up,) = server.reader.instant(UP)
    assert (up.labels["component"], up.value) == ("users-0", 1)


def test_exemplars_of_a_window_name_their_trace_and_how_long_it_took(server: Server) -> None:
    started = time.time() - 5
    await_true(lambda: server.reader.exemplars("wait_bucket", started, time.time()) != [], 5)
    (newest, *_) = found = server.reader.exemplars("wait_bucket", started, time.time())
    assert {exemplar.trace_id for exemplar in found} == {TRACE}  # the others are older than the window, or of no trace
    assert (newest.value, newest.series["le"]) == (0.7, "1.0")
    assert started < newest.at <= time.time()


def test_a_query_that_cannot_be_evaluated_is_refused_with_the_reason(server: Server) -> None:
    with pytest.raises(QueryRefusedError, match=r"refused 'sum\(': .*parse error"):
        server.reader.instant("sum(")


def test_the_heartbeat_is_active_and_is_no_span(server: Server) -> None:
    await_true(lambda: server.reader.instant('ALERTS{alertname="Watchdog",alertstate="firing"}') != [], 5)
    assert server.reader.active_alerts() == []
    assert server.reader.alert_spans(time.time() - 5, time.time()) == []


def test_a_component_that_goes_down_is_reported_within_five_seconds_and_its_span_is_read_back(
    exporter: tuple[Exporter, int], server: Server
) -> None:
    values = exporter[0].values
    await_true(lambda: bool(server.reader.instant('component:up:seen{component="users-0"}')), 5)
    killed = time.time()
    values[UP] = 0
    await_true(lambda: server.firing() == [("ComponentDown", "users-0")], 6)
    values[UP] = 1
    await_true(lambda: server.firing() == [], 4)
    await_true(lambda: server.reader.alert_spans(killed, time.time())[0].resolved_at is not None, 4)
    (span,) = server.reader.alert_spans(killed, time.time())
    assert (span.name, span.labels["component"], span.labels["severity"]) == ("ComponentDown", "users-0", "ticket")
    assert 2 < span.fired_at - killed <= 5.5


@pytest.mark.verify
def test_a_lab_that_comes_up_again_is_quiet_although_its_components_were_up_in_its_last_life(
    exporter: tuple[Exporter, int], server: Server
) -> None:
    server.stop()
    exporter[0].values[UP] = 0
    time.sleep(4)
    restarted = time.time()
    server.start()
    await_true(lambda: server.scraped() and server.reader.instant("component:up:recent == 0") != [], 30)
    time.sleep(3)
    assert server.reader.alert_spans(restarted, time.time()) == []
