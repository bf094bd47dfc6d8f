from __future__ import annotations

import asyncio
import signal
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from reference_app.contract.topology import Component, Kind
from reference_app.stack import questions

SERVERS: tuple[Kind, ...] = ("mariadb", "redis", "nats")
HTTP_KINDS: tuple[Kind, ...] = ("service", "prometheus", "alertmanager", "prober")


def ask(kind: Kind, port: int, timeout_s: float = questions.TIMEOUT_S) -> questions.Answer:
    component = Component("it", kind, "it", 0, port)
    return asyncio.run(questions.ask(component, timeout_s))


@contextmanager
def listener(reply: bytes | None) -> Iterator[int]:
    """Answers one connection with these bytes; None accepts nothing, so that the queue of one is full after a connection."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as server:
        server.settimeout(5)

        def serve() -> None:
            with server.accept()[0] as connection:
                connection.recv(1000)
                connection.sendall(reply or b"")

        thread = threading.Thread(target=serve)
        if reply is not None:
            thread.start()
        yield server.getsockname()[1]
        if reply is not None:
            thread.join()


@pytest.mark.parametrize("kind", SERVERS)
def test_a_running_server_answers_and_says_how_long_it_took(kind: Kind, start: Any) -> None:
    answer = start(kind).ask()
    assert (answer.ok, answer.accepted, answer.hung, answer.detail) == (True, True, False, "")
    assert 0 < answer.seconds < 0.3


@pytest.mark.parametrize("kind", SERVERS)
def test_a_paused_server_is_hung_and_one_that_wakes_answers_at_once(kind: Kind, start: Any) -> None:
    server = start(kind)
    server.signal(signal.SIGSTOP)
    began = time.monotonic()
    answer = server.ask()
    assert time.monotonic() - began < 1
    assert (answer.ok, answer.accepted, answer.hung) == (False, True, True)
    assert answer.detail == "no answer within 0.3 s"
    server.signal(signal.SIGCONT)
    assert server.ask(timeout_s=2).ok


@pytest.mark.parametrize("kind", SERVERS)
def test_a_killed_server_is_down_and_not_hung(kind: Kind, start: Any) -> None:
    server = start(kind)
    server.signal(signal.SIGKILL)
    server.process.wait(10)
    answer = server.ask()
    assert (answer.ok, answer.accepted, answer.hung) == (False, False, False)
    assert answer.detail.startswith("connection refused")
    assert answer.seconds < 0.1


@pytest.mark.parametrize("kind", HTTP_KINDS)
def test_an_http_component_is_well_when_it_says_200(kind: Kind) -> None:
    with listener(b"HTTP/1.1 200 OK\r\n\r\n") as port:
        assert ask(kind, port).ok


def test_an_http_component_that_says_503_is_unwell_but_not_hung() -> None:
    with listener(b"HTTP/1.1 503 Service Unavailable\r\n\r\n") as port:
        answer = ask("service", port)
    assert (answer.ok, answer.accepted, answer.hung) == (False, True, False)
    assert answer.detail == "answered 'HTTP/1.1 503 Service Unavailable'"


def test_a_redis_that_still_loads_is_unwell_but_not_hung() -> None:
    with listener(b"-LOADING Redis is loading the dataset in memory\r\n") as port:
        answer = ask("redis", port)
    assert (answer.ok, answer.hung) == (False, False)
    assert "LOADING" in answer.detail


def test_a_connection_closed_without_a_word_is_lost_and_not_hung() -> None:
    with listener(b"") as port:
        answer = ask("service", port)
    assert (answer.ok, answer.accepted, answer.hung) == (False, True, False)
    assert answer.detail.startswith("connection lost")


def test_a_process_whose_connection_queue_is_full_is_hung() -> None:
    with listener(None) as port, socket.create_connection(("127.0.0.1", port)), socket.socket() as waiting:
        waiting.setblocking(False)
        waiting.connect_ex(("127.0.0.1", port))
        assert ask("service", port).hung
