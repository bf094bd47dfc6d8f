"""Throw-away servers: real processes in a scratch directory on free ports, ended with the session."""

from __future__ import annotations

import asyncio
import getpass
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import asyncmy
import pytest

from reference_app.contract.topology import Component, Kind
from reference_app.stack import questions
from tests.waiting import freeze

SEARCH = f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin"


@dataclass
class Server:
    """A server under test, and how it is asked."""

    component: Component
    process: subprocess.Popen[bytes]

    @property
    def port(self) -> int:
        return self.component.port

    def signal(self, number: int) -> None:
        if number == signal.SIGSTOP:
            freeze(self.process)
        else:
            self.process.send_signal(number)

    def ask(self, timeout_s: float = questions.TIMEOUT_S) -> questions.Answer:
        return asyncio.run(questions.ask(self.component, timeout_s))


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def program(name: str) -> str:
    found = shutil.which(name, path=SEARCH)
    if found is None:
        pytest.skip(f"{name} is not installed: run scripts/setup.sh")
    return found


def wait_until_ok(server: Server, limit_s: float = 20) -> questions.Answer:
    """Asks until the server answers; it has to within the limit."""
    deadline = time.monotonic() + limit_s
    while not (answer := server.ask()).ok:
        assert server.process.poll() is None, f"{server.component.name} ended by itself: {answer.detail}"
        assert time.monotonic() < deadline, answer.detail
        time.sleep(0.05)
    return answer


class Start(Protocol):
    """Starts a server of a kind with further options."""

    def __call__(self, kind: Kind, *options: str) -> Server: ...


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An initialised MariaDB data directory to copy."""
    data = tmp_path_factory.mktemp("mariadb-template")
    argv = [
        program("mariadb-install-db"), "--no-defaults", f"--user={getpass.getuser()}", "--auth-root-authentication-method=normal",
        "--innodb-log-file-size=16M", "--skip-test-db", f"--datadir={data}", f"--tmpdir={data.parent}",
    ]  # fmt: skip
    made = subprocess.run(argv, check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert made.returncode == 0, made.stdout
    return data


def _mariadb(port: int, data: Path) -> list[str]:
    return [
        program("mariadbd"), "--no-defaults", f"--user={getpass.getuser()}", f"--datadir={data}", f"--tmpdir={data}", f"--port={port}",
        "--bind-address=127.0.0.1", f"--socket={data}/m.sock", f"--pid-file={data}/m.pid", "--skip-name-resolve",
        "--innodb-buffer-pool-size=32M", "--innodb-log-file-size=16M",
    ]  # fmt: skip


def _argv(kind: Kind, port: int, data: Path) -> list[str]:
    if kind == "mariadb":
        return _mariadb(port, data)
    if kind == "redis":
        return [program("redis-server"), "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(data)]
    return [program("nats-server"), "-a", "127.0.0.1", "-p", str(port), "-js", "-sd", str(data)]


def _launch(kind: Kind, options: tuple[str, ...], directory: Path, template: Path | None) -> Server:
    if template is not None:
        shutil.copytree(template, directory, dirs_exist_ok=True)
    port = free_port()
    with (directory / "server.log").open("wb") as log:
        process = subprocess.Popen([*_argv(kind, port, directory), *options], stdout=log, stderr=log, start_new_session=True)
    server = Server(Component(directory.name, kind, kind, 0, port, shard=directory.name), process)
    wait_until_ok(server)
    return server


@pytest.fixture
def start(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Start]:
    """Starts a server of a kind; whatever was started is killed after the test."""
    started: list[Server] = []

    def launch(kind: Kind, *options: str) -> Server:
        directory = tmp_path / f"{kind}-{len(started)}"
        directory.mkdir()
        source = request.getfixturevalue("template") if kind == "mariadb" else None
        started.append(_launch(kind, options, directory, source))
        return started[-1]

    yield launch
    for server in started:
        server.signal(signal.SIGKILL)
        server.process.wait(10)


@pytest.fixture(name="free_port")
def free_port_fixture() -> Callable[[], int]:
    """Ports that nobody listens on."""
    return free_port


@pytest.fixture
def execute() -> Callable[..., list[tuple[Any, ...]]]:
    """Runs statements on a MariaDB port and returns the last one's rows."""

    async def run(port: int, statements: tuple[str, ...]) -> list[tuple[Any, ...]]:
        async with asyncmy.connect(host="127.0.0.1", port=port, user="root", autocommit=True) as client, client.cursor() as cursor:
            for statement in statements:
                await cursor.execute(statement)
            return list(await cursor.fetchall())

    return lambda port, *statements: asyncio.run(run(port, statements))
