"""One service as a process over a database of its own, in a lab that has nothing else."""

from __future__ import annotations

import asyncio
import contextlib
import getpass
import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncmy
import httpx
import pytest

from reference_app.contract import keyvalue, storage, topology
from reference_app.contract.topology import Component, Lab
from reference_app.kit import files
from reference_app.kit.home import HOME_VARIABLE, Home
from reference_app.kit.settings import COMPONENT_VARIABLE
from reference_app.stack import render
from tests.waiting import await_true

SCHEMAS = Path(storage.__file__).parent / "schema"
SIGNING_KEY = "a key for tests"
SEARCH = f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin"


@dataclass(frozen=True)
class Serving:
    """The service, how it is asked, and the databases behind it; `database` is the first one, None for a service that has none."""

    lab: Lab
    client: httpx.Client
    service: subprocess.Popen[bytes]
    databases: tuple[subprocess.Popen[bytes], ...]

    @property
    def database(self) -> subprocess.Popen[bytes] | None:
        return self.databases[0] if self.databases else None


Serve = Callable[..., Serving]


def free_ports(count: int) -> Iterator[int]:
    """Different ones: a port that was let go of may be the next that is given out."""
    with contextlib.ExitStack() as held:
        probes = [held.enter_context(socket.socket()) for _ in range(count)]
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return iter([int(probe.getsockname()[1]) for probe in probes])


def accepts(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def start_mariadb(template: Path, data: Path, port: int, *options: str) -> subprocess.Popen[bytes]:
    shutil.copytree(template, data, dirs_exist_ok=True)
    argv = [
        shutil.which("mariadbd", path=SEARCH) or "mariadbd", "--no-defaults", f"--user={getpass.getuser()}", f"--datadir={data}",
        f"--port={port}", "--bind-address=127.0.0.1", f"--socket={data}/m.sock", f"--pid-file={data}/m.pid", "--skip-name-resolve",
        "--innodb-buffer-pool-size=32M", "--innodb-log-file-size=16M", *options,
    ]  # fmt: skip
    with (data / "server.log").open("wb") as log:
        process = subprocess.Popen(argv, stdout=log, stderr=log, start_new_session=True)
    await_true(lambda: accepts(port))
    return process


def statements(schema: str) -> list[str]:
    """The statements of a schema file, without its comments."""
    code = "\n".join(line for line in schema.splitlines() if not line.startswith("--"))
    return [statement for statement in code.split(";") if statement.strip()]


async def provision(component: Component, lab: Lab) -> None:
    """Database, schema and identity."""
    connection = await asyncmy.connect(host="127.0.0.1", port=component.port, user=storage.DATABASE_USER, autocommit=True)
    async with connection.cursor() as cursor:
        await cursor.execute(f"CREATE DATABASE {storage.DATABASE}")
        await cursor.execute(f"USE {storage.DATABASE}")
        for name in (storage.ACCOUNTS, storage.SCHEMAS[component.group], "identity.sql"):
            for statement in statements((SCHEMAS / name).read_text()):
                await cursor.execute(statement)
        await cursor.execute("INSERT INTO identity VALUES (%s, %s)", (component.shard, lab.identity_key))
    connection.close()


def start_service(component: Component, lab: Lab) -> subprocess.Popen[bytes]:
    environment = os.environ | {HOME_VARIABLE: lab.home, COMPONENT_VARIABLE: component.name}
    with Path(lab.home, f"{component.name}.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", f"reference_app.services.{component.group}"],
            env=environment, stdout=log, stderr=log, start_new_session=True,
        )  # fmt: skip
    await_true(lambda: accepts(component.port))
    return process


def lab_of(home: Path, service: str, *, shards: int) -> Lab:
    """All services, of which one will run, and the shards of the database behind it; ports are free ones."""
    ports = free_ports(len(topology.SERVICES) + shards * len(_databases(service)) + 1)
    services = [Component(f"{name}-0", "service", name, 0, next(ports), shard=f"{name}-0") for name in topology.SERVICES]
    databases = [
        Component(f"{name}-{index}", "mariadb", name, index, next(ports), "primary", f"{name}-{index}")
        for name in _databases(service)
        for index in range(shards)
    ]
    events = Component("events-0", "nats", "events", 0, next(ports), shard="events-0")
    return Lab(str(home), "test", 0, (*services, *databases, events), signing_key=SIGNING_KEY, supervisor_password="")


def _databases(service: str) -> list[str]:
    return [group for group in topology.SERVICE_EDGES[service] if group.endswith("-db")]


@pytest.fixture(scope="module")
def serve(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serve]:
    """Starts a service by name; whatever was started is killed after the module."""
    started: list[subprocess.Popen[bytes]] = []
    clients = contextlib.ExitStack()

    def launch(name: str, *, shards: int = 1) -> Serving:
        home = tmp_path_factory.mktemp(name)
        lab = lab_of(home, name, shards=shards)
        files.write_json(Home(home).lab_file, lab)
        databases = []
        for component in lab.kind("mariadb"):
            options = render.KEYVALUE_OPTIONS if component.group == keyvalue.DATABASE_GROUP else ()
            databases.append(start_mariadb(request.getfixturevalue("template"), home / component.name, component.port, *options))
            started.append(databases[-1])
            asyncio.run(provision(component, lab))
        component = lab.component(f"{name}-0")
        started.append(start_service(component, lab))
        client = clients.enter_context(httpx.Client(base_url=f"http://127.0.0.1:{component.port}", timeout=5))
        return Serving(lab, client, started[-1], tuple(databases))

    yield launch
    clients.close()
    for process in started:
        process.send_signal(signal.SIGKILL)
        process.wait(10)


@pytest.fixture
def code() -> Callable[[httpx.Response], tuple[int, str]]:
    """Status and code of an error answer, which has to be JSON with a message and a request id."""

    def read(response: httpx.Response) -> tuple[int, str]:
        document: dict[str, Any] = response.json()
        assert document["error"]["message"]
        assert document["request_id"] == response.headers["x-request-id"]
        assert "Traceback" not in response.text
        return response.status_code, document["error"]["code"]

    return read
