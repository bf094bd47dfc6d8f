"""Answers that break or stall after their headers. In a process of its own, because to import Locust is to patch sockets and threads."""

from __future__ import annotations

import socket
import subprocess
import sys
import threading

import pytest

SEND = """
import sys
from types import SimpleNamespace as Of
from locust.env import Environment
from loadgen.model.mix import Request
from loadgen.users.openloopuser import OpenLoopUser

class Crowd(OpenLoopUser):
    host = sys.argv[1]
    load = Of(clients=Of(timeout_s=float(sys.argv[2])), session=Of(plan=Of(t0=0), lab=Of(signing_key="key")))

there = Environment(user_classes=[Crowd])
there.events.request.add_listener(lambda exception, **_: print(exception))
answer = Crowd(there).send(Request(1, "home", 1, 0.0))
print(answer.status, answer.failure or "answered", answer.body)
"""
HALF = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{"
REFUSAL = b"HTTP/1.1 503 Service Unavailable\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}"


def serve(server, answer, may_close):
    connection, _ = server.accept()
    with connection:
        connection.recv(4096)
        connection.sendall(answer)
        may_close.wait(30)


@pytest.mark.parametrize(
    ("answer", "stalls", "told"),
    [
        (HALF, False, ["lost", "0 lost b''"]),
        (HALF, True, ["timeout", "0 timeout b''"]),
        (b"HTTP/1.1 200 OK\r\n", True, ["timeout", "0 timeout b''"]),
        (REFUSAL, False, ["status 503", "503 answered b'{}'"]),
    ],
)
def test_half_an_answer_is_none_and_the_reason_is_told(answer, stalls, told):
    may_close = threading.Event()
    if not stalls:
        may_close.set()
    with socket.create_server(("127.0.0.1", 0)) as server:
        serving = threading.Thread(target=serve, args=(server, answer, may_close))
        serving.start()
        address = f"http://127.0.0.1:{server.getsockname()[1]}"
        patience = "1" if stalls else "30"  # nobody is given up who answers on a crowded machine
        done = subprocess.run([sys.executable, "-c", SEND, address, patience], capture_output=True, text=True, timeout=60, check=False)
        may_close.set()
        serving.join(10)
    assert done.stdout.splitlines() == told, done.stderr
