"""The fault proxy as a process: Toxiproxy's API by the calls that its clients make, and what connections through it really see."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator

import httpx
import pytest

from reference_app.kit.home import REPOSITORY
from tests.conftest import free_base


@pytest.fixture(scope="module")
def echo() -> Iterator[int]:
    """A server that says everything back; its port."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            with contextlib.suppress(OSError):
                while True:
                    connection, _ = server.accept()
                    threading.Thread(target=answer, args=(connection,), daemon=True).start()

        threading.Thread(target=serve, daemon=True).start()
        yield server.getsockname()[1]


def answer(connection: socket.socket) -> None:
    with contextlib.suppress(OSError), connection:
        while data := connection.recv(65536):
            connection.sendall(data)


@pytest.fixture(scope="module")
def api() -> Iterator[httpx.Client]:
    port = free_base(22900)
    process = subprocess.Popen([sys.executable, "-m", "chaos.proxy", str(port), "--seed", "7"], cwd=REPOSITORY)
    with httpx.Client(base_url=f"http://127.0.0.1:{port}") as client:
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            with contextlib.suppress(httpx.ConnectError):
                client.get("/version")
                break
            time.sleep(0.05)
        yield client
    process.terminate()
    assert process.wait(5) is not None


@pytest.fixture
def proxied(api: httpx.Client, echo: int) -> Iterator[int]:
    """The port of a proxy before the echo; it has no toxics when the test begins."""
    made = api.post("/proxies", json={"name": "echo", "listen": "127.0.0.1:0", "upstream": f"127.0.0.1:{echo}"})
    assert made.status_code == 201, made.text
    yield int(made.json()["listen"].rpartition(":")[2])
    assert api.delete("/proxies/echo").status_code == 204


def connected(port: int) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), timeout=3)


def round_trip(connection: socket.socket, data: bytes = b"hello") -> float:
    started = time.monotonic()
    connection.sendall(data)
    received = b""
    while len(received) < len(data):
        part = connection.recv(65536)
        assert part, "the connection ended"
        received += part
    assert received == data
    return time.monotonic() - started


def test_the_calls_of_a_toxiproxy_client_are_answered(api: httpx.Client, proxied: int) -> None:
    toxics = "/proxies/echo/toxics"
    added = api.post(toxics, json={"type": "latency", "attributes": {"latency": 100, "jitter": 5}})
    assert added.json() == {
        "attributes": {"latency": 100, "jitter": 5}, "name": "latency_downstream", "type": "latency", "stream": "downstream", "toxicity": 1.0,
    }  # fmt: skip
    assert api.patch(f"{toxics}/latency_downstream", json={"attributes": {"latency": 50}}).json()["attributes"] == {
        "latency": 50,
        "jitter": 5,
    }
    assert api.post(f"{toxics}/latency_downstream", json={"toxicity": 0.5}).json()["toxicity"] == 0.5
    assert [toxic["name"] for toxic in api.get("/proxies").json()["echo"]["toxics"]] == ["latency_downstream"]
    assert api.delete(f"{toxics}/latency_downstream").status_code == 204
    assert api.get(toxics).json() == []
    populated = api.post(
        "/populate", json=[{"name": "echo", "listen": f"127.0.0.1:{proxied}", "upstream": "127.0.0.1:1", "enabled": False}]
    )
    assert [(proxy["upstream"], proxy["enabled"]) for proxy in populated.json()["proxies"]] == [("127.0.0.1:1", False)]
    assert api.post("/reset").status_code == 204
    assert api.get("/proxies/echo").json()["enabled"] is True


def test_calls_of_the_python_client_are_answered_as_it_reads_them(api: httpx.Client, echo: int) -> None:
    """toxiproxy-python 0.1.1 (PyPI): it updates by POST, and makes objects of whole answers."""
    wanted = {"upstream": f"127.0.0.1:{echo}", "name": "client", "listen": "127.0.0.1:0"}
    made = api.post("/proxies", json=wanted).json()
    assert made.keys() == {"name", "listen", "upstream", "enabled", "toxics"}
    toxic = {"name": "slow", "type": "bandwidth", "stream": "upstream", "toxicity": 0.5, "attributes": {"rate": 64}}
    assert api.post("/proxies/client/toxics", json=toxic).json() == toxic
    assert api.get("/proxies/client/toxics").json() == [toxic]
    assert [api.post("/proxies/client", json={"enabled": on}).json()["enabled"] for on in (False, True)] == [False, True]
    assert api.get("/proxies").json()["client"]["listen"] == made["listen"]
    api.post("/populate", json=[wanted | {"listen": made["listen"]}])
    assert api.get("/proxies/client/toxics").json() == [toxic], "who is there as wanted is left alone"
    assert api.post("/reset", json=None).status_code == 204
    assert api.get("/proxies/client/toxics").json() == []
    assert api.delete("/proxies/client").status_code == 204
    assert api.get("/proxies/client").json() == {"error": "proxy not found", "status": 404}


@pytest.mark.parametrize(
    ("path", "body", "status", "said"),
    [
        ("/proxies", {"name": "", "upstream": "127.0.0.1:1"}, 400, "missing required field"),
        ("/proxies", {"name": "echo", "upstream": "127.0.0.1:1"}, 409, "already exists"),
        ("/proxies", {"name": "other", "upstream": "nowhere"}, 400, "no address"),
        ("/proxies/none/toxics", {"type": "latency"}, 404, "proxy not found"),
        ("/proxies/echo/toxics", {"type": "poison"}, 400, "poison"),
        ("/proxies/echo/toxics", {"type": "latency", "attributes": {"rate": 3}}, 400, "has no rate; it has latency, jitter"),
        ("/proxies/echo/toxics", {"type": "latency", "attributes": {"latency": -3}}, 400, "0 or more"),
        ("/proxies/echo/toxics", ["latency"], 400, "bad request body"),
    ],
)
@pytest.mark.usefixtures("proxied")
def test_what_is_wrong_is_said(api: httpx.Client, path: str, body: object, status: int, said: str) -> None:
    refused = api.post(path, json=body)
    assert (refused.status_code, refused.json()["status"]) == (status, status)
    assert said in refused.json()["error"]


def test_latency_comes_to_open_connections_and_goes_again(api: httpx.Client, proxied: int) -> None:
    with connected(proxied) as connection:
        assert round_trip(connection) < 0.1
        api.post("/proxies/echo/toxics", json={"type": "latency", "attributes": {"latency": 150}})
        assert 0.14 < round_trip(connection) < 0.5
        api.delete("/proxies/echo/toxics/latency_downstream")
        assert round_trip(connection) < 0.1
    effect = api.get("/effects").json()["echo"]
    assert effect["delayed"] == 1
    assert 0.14 < effect["delay_s"] < 0.2


def test_large_data_passes_whole_and_in_order_through_a_slicer_and_a_narrow_band(api: httpx.Client, proxied: int) -> None:
    api.post("/proxies/echo/toxics", json={"type": "slicer", "attributes": {"average_size": 900, "size_variation": 300, "delay": 10}})
    api.post("/proxies/echo/toxics", json={"type": "bandwidth", "stream": "upstream", "attributes": {"rate": 1000}})
    with connected(proxied) as connection:
        assert 0.2 < round_trip(connection, bytes(range(256)) * 1024) < 2


def test_reset_peer_is_a_reset_and_not_an_end(api: httpx.Client, proxied: int) -> None:
    with connected(proxied) as connection:
        round_trip(connection)
        api.post("/proxies/echo/toxics", json={"type": "reset_peer", "attributes": {"timeout": 0}})
        connection.sendall(b"x")
        with pytest.raises(ConnectionResetError):
            connection.recv(10)


def test_a_black_hole_answers_nothing_until_it_is_gone(api: httpx.Client, proxied: int) -> None:
    api.post("/proxies/echo/toxics", json={"type": "timeout", "attributes": {"timeout": 0}})
    with connected(proxied) as connection:
        connection.settimeout(0.3)
        connection.sendall(b"lost")
        with pytest.raises(TimeoutError):
            connection.recv(10)
        api.post("/reset")
        connection.settimeout(3)
        assert round_trip(connection, b"heard") < 1


def test_toxicity_is_the_share_of_connections(api: httpx.Client, proxied: int) -> None:
    api.post("/proxies/echo/toxics", json={"type": "limit_data", "toxicity": 0.5, "attributes": {"bytes": 0}})
    ended = 0
    for _ in range(40):
        with connected(proxied) as connection:
            connection.sendall(b"x")
            ended += connection.recv(1) == b""
    assert 10 <= ended <= 30


def test_an_upstream_that_refuses_is_a_reset_for_the_client(api: httpx.Client, proxied: int) -> None:
    api.patch("/proxies/echo", json={"upstream": "127.0.0.1:1"})
    with pytest.raises(ConnectionResetError), connected(proxied) as connection:
        connection.recv(1)
    assert api.get("/effects").json()["echo"]["refused"] == 1


def test_a_disabled_proxy_refuses_and_comes_back_on_the_same_port(api: httpx.Client, proxied: int) -> None:
    with connected(proxied) as connection:
        api.patch("/proxies/echo", json={"enabled": False})
        with pytest.raises((ConnectionResetError, AssertionError)):
            round_trip(connection)
    with pytest.raises(ConnectionRefusedError):
        connected(proxied)
    api.patch("/proxies/echo", json={"enabled": True})
    with connected(proxied) as connection:
        round_trip(connection)
