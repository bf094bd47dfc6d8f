"""The collector as a process of its own: spans in by OTLP/HTTP, out by `query.traces`."""

from __future__ import annotations

import gzip
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest, ExportTraceServiceResponse

from reference_app.collector import otlp, writer
from reference_app.contract.topology import Component, Lab
from reference_app.kit import files
from reference_app.kit.home import HOME_VARIABLE, Home
from reference_app.kit.settings import COMPONENT_VARIABLE
from reference_app.query.traces import Traces

PROTOBUF = {"content-type": otlp.PROTOBUF}
JSON = {"content-type": otlp.JSON}


def request(trace: int, spans: int = 1, **fields: Any) -> bytes:
    """One trace, of whose spans each has a number as id."""
    export = ExportTraceServiceRequest()
    scope = export.resource_spans.add().scope_spans.add()
    now = time.time_ns()
    for number in range(1, spans + 1):
        scope.spans.add(**({"trace_id": trace.to_bytes(16), "span_id": number.to_bytes(8), "name": "work", "kind": 2,
                            "start_time_unix_nano": now - 1000, "end_time_unix_nano": now} | fields))  # fmt: skip
    return export.SerializeToString()


def eventually(question: Callable[[], bool], limit_s: float = 10) -> None:
    deadline = time.monotonic() + limit_s
    while not question():
        assert time.monotonic() < deadline, f"not true within {limit_s} s"
        time.sleep(0.05)


@dataclass
class Collector:
    """The process, a client of it, and what it wrote."""

    home: Home
    port: int
    process: subprocess.Popen[bytes]
    client: httpx.Client

    def send(self, body: bytes, headers: dict[str, str] = PROTOBUF) -> httpx.Response:
        return self.client.post("/v1/traces", content=body, headers=headers)

    def kept(self, trace: int) -> int:
        return len(Traces(self.home.traces).by_id(f"{trace:032x}"))

    def counted(self, result: str) -> float:
        exposed = re.search(rf'failwhale_collector_spans_total{{result="{result}"}} (\S+)', self.client.get("/metrics").text)
        return float(exposed[1]) if exposed else 0

    def end(self, number: int) -> int:
        self.process.send_signal(number)
        return self.process.wait(10)


Start = Callable[..., Collector]


@pytest.fixture
def start(tmp_path: Path, free_port: Callable[[], int]) -> Iterator[Start]:
    """Starts a collector, by default in the test's one home; all are killed after the test."""
    started: list[Collector] = []

    def launch(home: Path = tmp_path / "home", **environment: str) -> Collector:
        component = Component("collector", "collector", "collector", 0, free_port(), shard="collector")
        files.write_json(Home(home).lab_file, Lab(str(home), "test", 0, (component,), signing_key="k", supervisor_password=""))
        variables = {name: value for name, value in os.environ.items() if not name.startswith("OTEL_")}
        with (home / "collector.log").open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "reference_app.collector"], start_new_session=True, stdout=log, stderr=log,
                env=variables | {HOME_VARIABLE: str(home), COMPONENT_VARIABLE: component.name} | environment,
            )  # fmt: skip
        client = httpx.Client(base_url=f"http://127.0.0.1:{component.port}", timeout=10)
        started.append(Collector(Home(home), component.port, process, client))
        eventually(lambda: answers(client))
        return started[-1]

    yield launch
    for collector in started:
        collector.client.close()
        collector.process.kill()
        collector.process.wait(10)


def answers(client: httpx.Client) -> bool:
    try:
        return client.get("/health").status_code == 200
    except httpx.ConnectError:
        return False


def test_spans_in_protobuf_in_json_and_gzipped_are_read_back_within_seconds(start: Start) -> None:
    collector = start()
    document = {"resourceSpans": [{"scopeSpans": [{"spans": [
        {"traceId": f"{3:032X}", "spanId": f"{1:016x}", "name": "json", "startTimeUnixNano": "5", "endTimeUnixNano": 6}]}]}]}  # fmt: skip
    answers = [
        collector.send(request(1, 3), PROTOBUF | {"traceparent": f"00-{'a' * 32}-{'b' * 16}-01"}),
        collector.send(gzip.compress(request(2, 4)), PROTOBUF | {"content-encoding": "gzip"}),
        collector.send(json.dumps(document).encode(), JSON),
        collector.send(b""),
    ]
    assert [(a.status_code, a.headers["content-type"], a.content) for a in answers] == [
        (200, otlp.PROTOBUF, b""), (200, otlp.PROTOBUF, b""), (200, otlp.JSON, b"{}"), (200, otlp.PROTOBUF, b"")]  # fmt: skip
    eventually(lambda: [collector.kept(trace) for trace in (1, 2, 3)] == [3, 4, 1])
    assert collector.counted("written") == 8
    assert collector.kept(int("a" * 32, 16)) == 0, "the collector takes part in no trace, else it would export to itself"
    assert "Traceback" not in (collector.home.path / "collector.log").read_text()


def test_malformed_spans_are_told_and_refusals_are_in_the_callers_coding(start: Start) -> None:
    collector = start()
    partial = collector.send(request(1, 2, span_id=b"short"))
    told = ExportTraceServiceResponse.FromString(partial.content).partial_success
    assert (partial.status_code, told.rejected_spans, "span_id" in told.error_message) == (200, 2, True)
    assert collector.counted("rejected") == 2
    refused = {
        400: collector.send(b"{", JSON),
        413: collector.send(bytes(otlp.BODY_MAX + 1)),
        415: collector.send(b"", {"content-type": "text/plain"}),
    }
    assert {code: answer.status_code for code, answer in refused.items()} == {400: 400, 413: 413, 415: 415}
    assert (refused[400].json()["code"], refused[415].json()["code"]) == (3, 3)
    assert refused[413].headers["content-type"] == otlp.PROTOBUF
    assert collector.client.get("/v1/traces").status_code == 405


def test_nothing_that_was_taken_is_lost_on_sigterm(start: Start) -> None:
    collector = start()
    for trace in range(1, 11):
        assert collector.send(request(trace, 10)).status_code == 200
    assert collector.end(signal.SIGTERM) == 0
    assert [collector.kept(trace) for trace in range(1, 11)] == [10] * 10


def test_a_kill_loses_the_unwritten_second_and_a_restart_cleans_up(start: Start) -> None:
    collector = start()
    collector.send(request(1, 5))
    eventually(lambda: collector.kept(1) == 5)
    collector.send(request(2, 5))
    assert collector.end(signal.SIGKILL) == -signal.SIGKILL
    leftover = collector.home.traces / ".9-9.parquet.tmp"
    leftover.write_bytes(b"half")
    assert collector.kept(1) == 5
    again = start()
    assert not leftover.exists()
    again.send(request(3, 5))
    eventually(lambda: again.kept(3) == 5)
    assert (again.kept(1), again.kept(2)) in ((5, 0), (5, 5))


def test_a_disk_that_refuses_loses_nothing_and_a_full_queue_is_told(start: Start) -> None:
    collector = start()
    away = collector.home.traces.rename(collector.home.path / "away")
    full = None
    for trace in range(1, 100):
        answer = collector.send(request(trace, 10_000))
        if answer.status_code != 200:
            full = trace
            break
    assert full == 1 + writer.ROWS_MAX // 10_000 or full == 2 + writer.ROWS_MAX // 10_000
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
    assert collector.counted("dropped") == 10_000
    away.rename(collector.home.traces)
    eventually(lambda: collector.counted("written") == 10_000 * (full - 1))
    assert collector.kept(full - 1) == 10_000


def test_batches_are_passed_on_unchanged_to_a_backend(start: Start, tmp_path: Path) -> None:
    backend = start(tmp_path / "backend")
    collector = start(OTEL_EXPORTER_OTLP_ENDPOINT=f"http://127.0.0.1:{backend.port}")
    collector.send(request(1, 7))
    collector.send(gzip.compress(request(2, 7)), PROTOBUF | {"content-encoding": "gzip"})
    eventually(lambda: (backend.kept(1), backend.kept(2)) == (7, 7))
    assert (collector.counted("relayed"), collector.counted("relay_failed")) == (14, 0)
    assert Traces(backend.home.traces).by_id(f"{1:032x}") == Traces(collector.home.traces).by_id(f"{1:032x}")


def test_a_backend_that_hangs_delays_nobody(start: Start) -> None:
    with socket.socket() as backend:
        backend.bind(("127.0.0.1", 0))
        backend.listen()
        collector = start(OTEL_EXPORTER_OTLP_TRACES_ENDPOINT=f"http://127.0.0.1:{backend.getsockname()[1]}/v1/traces")
        slowest = 0.0
        for trace in range(1, 81):
            began = time.monotonic()
            assert collector.send(request(trace)).status_code == 200
            slowest = max(slowest, time.monotonic() - began)
        assert slowest < 1, "an export waited for the backend"
        assert collector.counted("relay_failed") >= 80 - 1 - 64, "the queue has no bound"
        eventually(lambda: collector.counted("written") == 80)
        assert collector.end(signal.SIGTERM) == 0


def test_empty_spans_by_the_million_do_not_fill_the_memory(start: Start) -> None:
    collector = start()
    resident = peak_mib(collector.process.pid)
    spans = b"\x12\x00" * (otlp.BODY_MAX // 2 - 16)
    body = framed(0x0A, framed(0x12, spans))
    answer = collector.send(body)
    assert answer.status_code == 200
    assert ExportTraceServiceResponse.FromString(answer.content).partial_success.rejected_spans == len(spans) // 2
    assert peak_mib(collector.process.pid) - resident < 600


def framed(tag: int, content: bytes) -> bytes:
    """A length-delimited field of protobuf."""
    length, rest = b"", len(content)
    while rest > 127:
        length, rest = length + bytes([rest & 127 | 128]), rest >> 7
    return bytes([tag]) + length + bytes([rest]) + content


def peak_mib(pid: int) -> float:
    found = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    assert found is not None
    return int(found[1]) / 1024
