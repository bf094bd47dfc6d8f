"""The edge as a real HAProxy over gateways that answer, refuse, hang up or are slow, as the test wants."""

from __future__ import annotations

import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any, Literal

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from reference_app.contract import api, metrics
from reference_app.contract.metrics import Metric
from reference_app.contract.profile import LAB, Profile
from reference_app.contract.topology import Component, Lab
from reference_app.stack import edge
from tests.servers.conftest import program

Mode = Literal["answers", "hangs up", "is slow", "fails its checks"]
SLOW_S = 0.8
TIMELINE = "/users/7/tweets"


class Gateway(ThreadingHTTPServer):
    """Answers with the request, its own port and how many requests it has got."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.mode: Mode = "answers"
        self.got: list[str] = []
        Thread(target=self.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def end(self) -> None:
        """From now on connections are refused."""
        self.shutdown()
        self.server_close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Gateway

    def handle_one_request(self) -> None:
        self.raw_requestline = self.rfile.readline(65537)
        if not self.raw_requestline or not self.parse_request():
            self.close_connection = True
            return
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        if self.path == api.HEALTH and self.server.mode == "fails its checks":
            self.close_connection = True
            return
        if self.path != api.HEALTH:
            self.server.got.append(f"{self.command} {self.path}")
            if self.server.mode == "hangs up":
                self.close_connection = True
                return
            time.sleep(SLOW_S if self.server.mode == "is slow" else 0)
        self._answer(body)

    def _answer(self, body: bytes) -> None:
        text = f"{self.requestline} {self.server.server_port} {len(self.server.got)} {body.decode()}\n{self.headers}".encode()
        self.send_response(200)
        self.send_header("content-length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name that http.server gives it
        """Nothing: HAProxy logs what matters."""


@dataclass
class Edge:
    """HAProxy over two gateways."""

    component: Component
    client: httpx.Client
    log: Path
    gateways: list[Gateway] = field(default_factory=list)

    def get(self, path: str, **headers: str) -> httpx.Response:
        return self.client.get(path, headers={name.replace("_", "-"): value for name, value in headers.items()})

    def counted(self, metric: Metric, **labels: str) -> float:
        text = httpx.get(f"http://127.0.0.1:{self.component.metrics_port}{api.METRICS}").text
        samples = (sample for family in text_string_to_metric_families(text) for sample in family.samples)
        return sum(s.value for s in samples if s.name == metric.name and labels.items() <= s.labels.items())


Start = Callable[..., Edge]
UNCHECKED = replace(LAB, edge_check_every=300)
"""What the edge learns it learns from requests."""


def free_pair() -> int:
    """A port that is free like the one after it."""
    while True:
        with socket.socket() as first, socket.socket() as second:
            first.bind(("127.0.0.1", 0))
            port = int(first.getsockname()[1])
            with suppress(OSError):
                second.bind(("127.0.0.1", port + 1))
                return port


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts an edge; a test may change `edge.IN_FLIGHT_MAX` before."""
    running: list[tuple[Edge, subprocess.Popen[bytes]]] = []

    def begin(profile: Profile = UNCHECKED) -> Edge:
        gateways = [Gateway(), Gateway()]
        parts = tuple(Component(f"gateway-{i}", "service", "gateway", i, g.server_address[1]) for i, g in enumerate(gateways))
        lab = Lab("", "test", 0, (*parts, Component("edge-0", "haproxy", "edge", 0, free_pair())), "", "")
        configuration, log = tmp_path / "edge-0.conf", tmp_path / "edge-0.log"
        configuration.write_text(edge.haproxy(lab, profile))
        with log.open("wb") as output:
            process = subprocess.Popen([program("haproxy"), "-db", "-f", str(configuration)], stdout=output, stderr=output)
        client = httpx.Client(base_url=lab.entry_url, timeout=5)
        running.append((started := Edge(lab.entry, client, log, gateways), process))
        _await_health(client, log)
        return started

    yield begin
    for started, process in running:
        process.kill()
        process.wait()
        started.client.close()
        for gateway in started.gateways:
            gateway.end()


def _await_health(client: httpx.Client, log: Path) -> None:
    deadline = time.monotonic() + 5
    while True:
        try:
            assert client.get(api.HEALTH).status_code == 200
        except httpx.TransportError:
            assert time.monotonic() < deadline, f"the edge does not answer: {log.read_text()}"
            time.sleep(0.02)
        else:
            return


def test_gateways_take_turns_and_what_a_client_sends_passes_untouched(start: Start) -> None:
    running = start()
    answers = [running.get(api.HOME, x_request_id='a "b"', traceparent="00-ab-cd-01", authorization="Bearer t").text for _ in range(4)]
    assert [len(gateway.got) for gateway in running.gateways] == [2, 2]
    for line in ('x-request-id: a "b"', "traceparent: 00-ab-cd-01", "authorization: Bearer t", "x-forwarded-for: 127.0.0.1"):
        assert all(line in answer for answer in answers)


def test_each_objective_has_a_backend_of_its_own_that_counts(start: Start) -> None:
    running = start()
    running.get(f"{api.HOME}?limit=3")
    running.client.post(api.TWEETS, content=b"{}")
    for path in ("/tweets/1", "/home/1"):
        running.get(path)
    running.client.post(api.HOME)
    counts = {proxy: running.counted(metrics.EDGE_RESPONSES, proxy=proxy, code="2xx") for proxy in edge.IN_FLIGHT_MAX}
    assert counts == {metrics.EDGE_HOME: 1, metrics.EDGE_POSTS: 1, metrics.EDGE_REST: 3}


def test_requests_that_a_dead_gateway_refuses_go_to_the_other_one_posts_too(start: Start) -> None:
    running = start()
    running.gateways[0].end()
    statuses = [running.client.request(method, path).status_code for method, path in [("GET", api.HOME), ("POST", api.TWEETS)] * 4]
    assert statuses == [200] * 8
    assert len(running.gateways[1].got) == 8
    assert running.counted(metrics.EDGE_REDISPATCHES, server="gateway-0") >= 4


def test_a_read_that_a_gateway_took_and_did_not_answer_is_sent_to_the_other_one(start: Start) -> None:
    running = start()
    running.gateways[0].mode = "hangs up"
    assert [running.get(path).status_code for path in (api.HOME, "/tweets/1") * 2] == [200] * 4
    assert running.counted(metrics.EDGE_REDISPATCHES, server="gateway-0") == len(running.gateways[0].got) > 0


@pytest.mark.parametrize(("method", "path"), [("POST", api.TWEETS), ("DELETE", "/tweets/1"), ("PUT", "/following/1")])
def test_a_write_that_a_gateway_took_and_did_not_answer_is_never_sent_again(start: Start, method: str, path: str) -> None:
    running = start()
    for gateway in running.gateways:
        gateway.mode = "hangs up"
    answer = httpx.request(method, running.client.base_url.join(path), headers={"x-request-id": 'a "b"'})
    assert (answer.status_code, answer.headers["retry-after"], answer.json()["request_id"]) == (503, "1", 'a "b"')
    assert answer.json()["error"]["code"] == "indeterminate"
    assert sum(len(gateway.got) for gateway in running.gateways) == 1
    assert running.counted(metrics.EDGE_RESPONSE_ERRORS) == 1


def test_on_a_connection_that_was_used_before_hanging_up_tells_the_client_the_same(start: Start) -> None:
    running = start()
    running.get(api.HOME)
    for gateway in running.gateways:
        gateway.mode = "hangs up"
    with pytest.raises(httpx.RemoteProtocolError, match="without sending a response"):
        running.client.post(api.TWEETS)
    assert [request for gateway in running.gateways for request in gateway.got].count(f"POST {api.TWEETS}") == 1
    assert running.counted(metrics.EDGE_RESPONSES, proxy=metrics.EDGE_POSTS) == 0
    assert running.counted(metrics.EDGE_REQUESTS, proxy=metrics.EDGE_POSTS) == 1


def test_with_no_gateway_left_everything_is_unavailable_and_the_edge_itself_is_well(start: Start) -> None:
    running = start(LAB)
    for gateway in running.gateways:
        gateway.end()
    for _ in range(2):
        for method, path in (("POST", api.TWEETS), ("GET", TIMELINE)):
            answer = running.client.request(method, path)
            assert (answer.status_code, answer.json()["error"]["code"], answer.headers["retry-after"]) == (503, "unavailable", "1")
        _await_state(running, "gateway-0", "DOWN")
        _await_state(running, "gateway-1", "DOWN")
    assert running.get(api.HEALTH).status_code == 200
    assert running.counted(metrics.EDGE_RESPONSES, proxy=metrics.EDGE_POSTS, code="5xx") == 2


def test_gateways_are_used_all_the_same_when_all_of_them_fail_their_checks_and_one_that_does_alone_is_not(start: Start) -> None:
    running = start(LAB)
    running.gateways[0].mode = "fails its checks"
    _await_state(running, "gateway-0", "DOWN")
    assert [running.get(api.HOME).status_code for _ in range(4)] == [200] * 4
    assert [len(gateway.got) for gateway in running.gateways] == [0, 4]
    running.gateways[1].mode = "fails its checks"
    _await_state(running, "gateway-1", "DOWN")
    assert [running.client.post(api.TWEETS).status_code for _ in range(4)] == [200] * 4
    assert [len(gateway.got) for gateway in running.gateways] == [2, 6]


def _await_state(running: Edge, gateway: str, state: str) -> None:
    deadline = time.monotonic() + 5
    while not running.counted(metrics.EDGE_SERVER, proxy=metrics.EDGE_HOME, server=gateway, state=state):
        assert time.monotonic() < deadline, f"{gateway} does not become {state}: {running.log.read_text()}"
        time.sleep(0.05)


def test_who_finds_every_gateway_full_waits_for_a_moment_and_is_told_overloaded(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(edge, "IN_FLIGHT_MAX", edge.IN_FLIGHT_MAX | {metrics.EDGE_POSTS: 1})
    running = start()
    for gateway in running.gateways:
        gateway.mode = "is slow"
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: running.client.post(api.TWEETS), range(4)))
    assert sorted(answer.status_code for answer in answers) == [200, 200, 503, 503]
    assert {answer.json()["error"]["code"] for answer in answers if answer.status_code == 503} == {"overloaded"}
    assert sum(len(gateway.got) for gateway in running.gateways) == 2


def _await_an_early_moment_of_a_second() -> None:
    """HAProxy counts the age of what it keeps in whole seconds of the wall clock: what is kept late in one is gone with it."""
    if (left := 1 - time.time() % 1) < 0.5:
        time.sleep(left + 0.01)


def test_a_public_timeline_is_kept_for_a_second_whoever_asks_and_nothing_else_is(start: Start) -> None:
    running = start()
    _await_an_early_moment_of_a_second()
    first, second = running.get(TIMELINE, authorization="Bearer one"), running.get(TIMELINE, authorization="Bearer two")
    assert first.headers["cache-control"] == "public, max-age=1"
    assert first.text == second.text
    assert "Bearer" not in first.text
    assert running.counted(metrics.EDGE_CACHE_HITS, proxy=metrics.EDGE_REST) == 1
    assert running.get(f"{TIMELINE}?limit=3").text != first.text
    assert running.get(api.HOME).headers["cache-control"] == running.get("/tweets/1").headers["cache-control"] == "no-store"
    assert running.get(api.HOME).text != running.get(api.HOME).text
    time.sleep(1.1)
    assert running.get(TIMELINE).text != first.text


def test_who_brings_a_consistency_token_is_not_given_the_page_of_a_second_ago(start: Start) -> None:
    running = start()
    _await_an_early_moment_of_a_second()
    kept = running.get(TIMELINE)
    own = running.get(TIMELINE, **{api.CONSISTENCY: "0.0-1-1"})
    assert own.text != kept.text
    assert own.headers["cache-control"] == "no-store"
    assert running.get(TIMELINE).text == kept.text


def test_metrics_of_whichever_gateway_are_not_for_users(start: Start) -> None:
    running = start()
    assert running.get(api.METRICS).json()["error"]["code"] == "not_found"
    assert not any(gateway.got for gateway in running.gateways)
