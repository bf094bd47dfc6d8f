"""The lab starts, stops, survives and reports. A lab of its own, because these tests kill its supervisord and wipe its disks."""

from __future__ import annotations

import asyncio
import dataclasses
import os
import shutil
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncmy
import msgspec
import pytest

from failwhale import cli, health, lifecycle
from failwhale import lab as layout
from reference_app.contract.topology import Component
from reference_app.kit.home import HOME_VARIABLE, Home
from reference_app.stack import bootstrap, errors, marks, ports, program
from reference_app.stack.control import Control

pytestmark = [pytest.mark.breaks, pytest.mark.timeout(60)]

PORT_BASE = 21100


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    home = Home(tmp_path_factory.mktemp("lab"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(layout.PORT_BASE_VARIABLE, str(PORT_BASE))
        yield home
        lifecycle.down(home, ignore)


@pytest.fixture
def acting(home: Home) -> Control:
    """A healthy lab."""
    up(home)
    return Control(home)


@pytest.fixture
def stopped(home: Home) -> Home:
    """A lab that was initialised and is down."""
    if not home.lab_file.exists():
        up(home)
    lifecycle.down(home, ignore)
    return home


def ignore(_: object) -> None:
    """Progress that nobody reads."""


def up(home: Home) -> lifecycle.Started:
    return lifecycle.up(home, ignore, replay_undo=ignore)


@dataclass(frozen=True)
class Said:
    """What the command line answered."""

    code: int
    out: str
    err: str


@pytest.fixture
def failwhale(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Callable[..., Said]:
    """The command line, in this process: what it imports is loaded once."""

    def run(home: Home, *arguments: str) -> Said:
        monkeypatch.setenv(HOME_VARIABLE, str(home.path))
        monkeypatch.setattr(sys, "argv", ["failwhale", *arguments])
        capfd.readouterr()
        with pytest.raises(SystemExit) as ended:
            cli.main()
        out, err = capfd.readouterr()
        return Said(int(ended.value.code or 0), out, err)

    return run


def state(acting: Control, name: str) -> str:
    return next(process.state for process in acting.states() if process.name == name)


def kill_supervisord(home: Home) -> None:
    os.kill(marks.components(home.path)[program.SUPERVISORD].pid, signal.SIGKILL)


def listening(acting: Control) -> list[ports.Listener]:
    return ports.listeners([*(c.port for c in acting.lab.components), acting.lab.supervisor_port])


def test_data_survives_down_and_an_initialised_lab_is_up_again_within_15_seconds(
    acting: Control, sql: Any, failwhale: Callable[..., Said]
) -> None:
    primary = acting.lab.component("tweets-db-0-primary")
    sql.write_event(primary, "survivor")
    assert failwhale(acting.home, "down").code == 0
    started = up(acting.home)
    assert not started.already
    assert started.seconds <= 15
    assert sql.copied(primary, "survivor")


def test_up_on_a_healthy_lab_returns_at_once(acting: Control) -> None:
    again = up(acting.home)
    assert again.already
    assert again.seconds < 3


def test_lab_json_with_the_secrets_is_readable_by_its_owner_only(acting: Control) -> None:
    for secret in (acting.home.lab_file, layout.supervisord_conf(acting.home)):
        assert secret.stat().st_mode & 0o777 == 0o600


def test_everything_listens_on_the_loopback_address_only(acting: Control) -> None:
    listed = Path("/proc/net/tcp").read_text() + Path("/proc/net/tcp6").read_text()
    rows = [line.split() for line in listed.splitlines() if ": " in line]
    wanted = {component.port for component in acting.lab.components}
    addresses = {row[1].split(":")[0] for row in rows if row[3] == "0A" and int(row[1].split(":")[1], 16) in wanted}
    assert addresses == {"0100007F"}


def test_status_prints_the_contract_object_and_exits_0_only_when_all_answer(acting: Control, failwhale: Callable[..., Said]) -> None:
    healthy = failwhale(acting.home, "status", "--json")
    assert healthy.code == 0, healthy.out
    status = msgspec.json.decode(healthy.out)
    assert (status["schema"], status["topology"], status["healthy"]) == (health.SCHEMA, "small", True)
    assert {p["name"] for p in status["processes"]} == {c.name for c in acting.lab.components} | {program.SUPERVISORD}
    assert status["pss_mib_total"] == pytest.approx(sum(p["pss_mib"] for p in status["processes"]), abs=1)
    acting.pause("graph-0")
    sick = failwhale(acting.home, "status", "--json")
    assert sick.code == 1
    assert not msgspec.json.decode(sick.out)["healthy"]


def test_primaries_with_a_replica_acknowledge_semi_synchronously_and_the_others_do_not(acting: Control, sql: Any) -> None:
    for shard in bootstrap.shards(acting.lab):
        rows = sql.rows(shard.primary, "SHOW GLOBAL STATUS LIKE 'Rpl_semi_sync_master_status'")
        assert rows[0]["Value"] == ("ON" if shard.replica else "OFF"), shard.name


def test_a_commit_hangs_while_the_replica_is_down_and_appears_when_it_is_back(acting: Control, sql: Any) -> None:
    primary, replica = acting.lab.component("tweets-db-0-primary"), acting.lab.component("tweets-db-0-replica")
    acting.kill_and_hold(replica.name)
    with pytest.raises(TimeoutError):
        asyncio.run(_hang(primary, sql.WRITE_EVENT))
    assert not sql.rows(primary, "SELECT id FROM failwhale.outbox WHERE subject = 'hang'")
    acting.start(replica.name)
    acting.wait_ready([replica.name], 5)
    assert sql.copied(replica, "hang")
    assert sql.copied(primary, "hang")


async def _hang(primary: Component, statement: str) -> None:
    async with (
        asyncio.timeout(0.5),
        asyncmy.connect(host="127.0.0.1", port=primary.port, user="root", autocommit=True) as client,
        client.cursor() as cursor,
    ):
        await cursor.execute(statement, ("hang",))


@pytest.mark.parametrize("times", [3, pytest.param(10, marks=pytest.mark.verify)])
def test_a_killed_and_held_primary_stays_down_each_time_and_replicates_after_start(acting: Control, sql: Any, times: int) -> None:
    primary, replica = acting.lab.component("tweets-db-1-primary"), acting.lab.component("tweets-db-1-replica")
    for attempt in range(times):
        acting.kill_and_hold(primary.name)
        time.sleep(0.1)
        assert state(acting, primary.name) == "stopped"
        assert not ports.listeners([primary.port])
        acting.start(primary.name)
        acting.wait_ready([primary.name], 5)
        sql.write_event(primary, f"held-{times}-{attempt}")
        assert sql.copied(replica, f"held-{times}-{attempt}")


def test_a_killed_service_is_restarted_by_supervisord(acting: Control) -> None:
    before = marks.components(acting.home.path)["graph-0"].pid
    acting.kill("graph-0")
    acting.wait_ready(["graph-0"], 10)
    assert marks.components(acting.home.path)["graph-0"].pid != before


def test_heal_resumes_what_is_paused_and_starts_what_is_held(acting: Control) -> None:
    acting.pause("timeline-cache-0")
    acting.kill_and_hold("tweet-cache-0")
    assert (state(acting, "timeline-cache-0"), state(acting, "tweet-cache-0")) == ("paused", "stopped")
    assert set(acting.unanswered()) >= {"timeline-cache-0", "tweet-cache-0"}
    assert set(acting.heal()) >= {"timeline-cache-0", "tweet-cache-0"}
    assert not acting.unanswered()


def test_a_wiped_pair_is_a_working_shard_again_when_it_was_rebuilt_on_purpose(acting: Control, sql: Any) -> None:
    pair = acting.lab.component("tweets-db-0-primary"), acting.lab.component("tweets-db-0-replica")
    acting.stop_all([component.name for component in pair])
    for component in pair:
        bootstrap.provision(acting.home, component)
        acting.start(component.name)
    bootstrap.establish(acting.home, acting.lab, timeout_s=10, rebuilt=["tweets-db-0"])
    sql.write_event(pair[0], "rebuilt")
    assert sql.copied(pair[1], "rebuilt")


def test_logs_prints_the_end_of_a_log_and_names_the_logs_there_are(acting: Control, failwhale: Callable[..., Said]) -> None:
    shown = failwhale(acting.home, "logs", "users-db-0", "-n", "5")
    assert shown.code == 0
    assert shown.out.count("\n") == 5
    unknown = failwhale(acting.home, "logs", "nobody")
    assert unknown.code == 2
    assert "users-db-0" in unknown.err


def test_components_can_be_killed_and_started_without_supervisord_and_up_then_starts_anew(acting: Control) -> None:
    kill_supervisord(acting.home)
    acting.kill_and_hold("tweet-cache-0")
    assert state(acting, "tweet-cache-0") == "missing"
    acting.start("tweet-cache-0")
    acting.wait_ready(["tweet-cache-0"], 5)
    orphan = marks.components(acting.home.path)["users-db-0"].pid
    assert not up(acting.home).already
    assert marks.components(acting.home.path)["users-db-0"].pid != orphan
    assert health.status(acting.home).healthy


def test_down_leaves_no_process_and_no_port_after_supervisord_was_killed_and_a_process_paused(
    acting: Control, failwhale: Callable[..., Said]
) -> None:
    program.spawn(acting.home, "guest", ["sleep", "100"])
    acting.pause("users-db-0")
    kill_supervisord(acting.home)
    assert failwhale(acting.home, "down").code == 0
    assert not marks.find(acting.home.path)
    assert not listening(acting)


def test_taken_ports_are_all_reported_with_their_holder_before_anything_starts(stopped: Home, failwhale: Callable[..., Said]) -> None:
    lab = stopped.lab()
    with socket.create_server(("127.0.0.1", PORT_BASE)), socket.create_server(("127.0.0.1", lab.supervisor_port)):
        refused = failwhale(stopped, "up")
    assert refused.code == 2
    for expected in (f"{PORT_BASE} (gateway-0) held by process {os.getpid()}", f"{lab.supervisor_port} (supervisord) held by"):
        assert expected in refused.err
    assert not marks.find(stopped.path)


def test_a_vanished_data_directory_is_reported_and_not_made_anew(stopped: Home) -> None:
    directory, aside = stopped.data / "users-db-0", stopped.data / "aside"
    directory.rename(aside)
    with pytest.raises(errors.DataVanishedError, match="users-db-0"):
        up(stopped)
    assert not directory.exists()
    aside.rename(directory)


def test_a_data_directory_that_was_replaced_by_an_empty_one_is_reported(stopped: Home) -> None:
    component = stopped.lab().component("users-db-0")
    aside = stopped.data / "aside"
    bootstrap.directory(stopped, component).rename(aside)
    bootstrap.provision(stopped, component)
    with pytest.raises(errors.DataVanishedError, match="emptied or replaced"):
        up(stopped)
    lifecycle.down(stopped, ignore)
    shutil.rmtree(bootstrap.directory(stopped, component))
    aside.rename(bootstrap.directory(stopped, component))


def test_a_service_that_cannot_start_is_reported_with_its_last_log_lines(stopped: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    real = layout.programs

    def with_a_broken_gateway(*arguments: Any) -> tuple[program.Program, ...]:
        broken = (sys.executable, "-c", "raise SystemExit('no gateway today')")
        return tuple(dataclasses.replace(p, argv=broken) if p.name == "gateway-0" else p for p in real(*arguments))

    monkeypatch.setattr(layout, "programs", with_a_broken_gateway)
    with pytest.raises(lifecycle.StartError, match=r"(?s)gateway-0: it keeps exiting.*no gateway today"):
        up(stopped)


def test_reset_refuses_a_directory_without_a_lab_and_empties_one_with(home: Home, tmp_path: Path, failwhale: Callable[..., Said]) -> None:
    (tmp_path / "thesis.tex").write_text("years of work")
    assert failwhale(Home(tmp_path), "reset", "--yes").code == 2
    assert (tmp_path / "thesis.tex").exists()
    assert failwhale(home, "reset").code == 2
    assert home.lab_file.exists()
    assert failwhale(home, "reset", "--yes").code == 0
    assert not any(home.path.iterdir())
