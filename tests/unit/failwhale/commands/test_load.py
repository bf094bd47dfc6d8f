from __future__ import annotations

import socket
import subprocess
import sys
import time

import msgspec
import pytest
import typer
from typer.testing import CliRunner

from failwhale import knee
from failwhale.commands import load
from loadgen import history, plans, report, runner, target
from loadgen.runner import Generator
from reference_app.contract import plan, topology
from reference_app.contract.plan import phases
from reference_app.contract.seed import Seed
from reference_app.kit import files, lease
from reference_app.kit.home import Home

PORT_BASE = 1
"""Nobody listens there."""


@pytest.fixture
def home(tmp_path, monkeypatch):
    lab = topology.Lab(str(tmp_path), "small", PORT_BASE, topology.components(topology.SMALL, PORT_BASE), "key", "password")
    files.write_json(tmp_path / "lab.json", lab)
    files.write_json(tmp_path / "seed.json", Seed(50, 100, "synthetic", directed=True, top_followers=10, seeded_at=0.0))
    monkeypatch.setenv("FAILWHALE_HOME", str(tmp_path))
    return tmp_path


@pytest.fixture
def reachable(monkeypatch):
    monkeypatch.setattr(target, "require_open", lambda _: None)


def invoke(*arguments, command="run"):
    app = typer.Typer()
    load.register(app)
    return CliRunner().invoke(app, ["load", command, *arguments])


def recorded(home, *, now=1_790_000_000.0):
    """A run of which the generator left nothing but the first lines of its history."""
    run_dir = plans.create(Home(home), preset="goal+impatient", seed=1, now=now, phases=phases())
    writer = files.LineWriter(run_dir / history.FILE)
    writer.write(history.Invoke(n=1, op="home", user=1, due=71.0, at=1_790_000_071.0, intent=1))
    writer.write(history.Completion(n=1, type="error", status=503, at=1_790_000_071.1, response_ms=100, service_ms=99, lag_ms=1))
    writer.close()
    return run_dir


def test_a_recorded_load_is_reported_again_and_its_files_stay_as_they_are(home):
    run_dir = recorded(home)
    shown = invoke("latest", command="report")
    assert shown.exit_code == 1
    assert "0 of 1 things that users wanted were served, with 1 requests each (reactions: none)" in shown.stderr
    assert "not every process of the generator lived to write" in shown.stderr
    document = msgspec.json.decode(invoke(run_dir.name, "--json", command="report").stdout)
    assert (document["run_id"], document["load"]["phases"]["fault"]["home_intents"]["wanted"]) == (run_dir.name, 1)
    assert not (run_dir / report.FILE).exists()


def test_a_load_that_runs_is_not_reported_as_one_that_died(home):
    run_dir = recorded(home, now=time.time())
    shown = invoke(command="report")
    assert (shown.exit_code, shown.stdout) == (2, "")
    assert f"the load of {run_dir.name} runs for up to 1" in shown.stderr
    assert "lived to write" not in shown.stderr


def test_a_record_of_another_version_is_no_traceback(home):
    (recorded(home) / plan.FILE).write_text('{"run_id": 7}')
    shown = invoke(command="report")
    assert (shown.exit_code, shown.stdout) == (2, "")
    assert "another version left it, or it was cut off" in shown.stderr


def generator(monkeypatch, *, code, begins):
    """Ends at once with that code, and has opened its history when it `begins`."""

    def start(_, run_dir, **__):
        (run_dir / "load").mkdir()
        (run_dir / runner.LOG).write_text("its last words\n")
        if begins:
            (run_dir / history.FILE).touch()
        process = subprocess.Popen([sys.executable, "-c", f"raise SystemExit({code})"])
        process.wait()
        return Generator(process)

    monkeypatch.setattr(runner, "start", start)


@pytest.mark.usefixtures("home", "reachable")
@pytest.mark.parametrize(
    ("code", "begins", "exit_code", "told"),
    [
        (2, False, 2, "the generator could not begin: its last words"),
        (2, True, 1, "the generator ended with exit code 2: its last words"),
        (1, True, 1, "the generator ended with exit code 1: its last words"),
    ],
)
def test_a_generator_that_could_not_begin_is_told_from_one_that_died(code, begins, exit_code, told, monkeypatch):
    generator(monkeypatch, code=code, begins=begins)
    result = invoke("goal")
    assert result.exit_code == exit_code
    assert told in result.stderr
    assert "None of None" not in result.stderr


@pytest.fixture
def not_climbed(monkeypatch):
    def climbed(*_):
        raise AssertionError("a stair was begun")

    monkeypatch.setattr(knee, "find", climbed)


@pytest.mark.usefixtures("home", "not_climbed")
def test_no_knee_is_looked_for_in_a_lab_that_is_down():
    result = invoke(command="knee")
    assert result.exit_code == 2
    assert "the app takes no connection on port 1" in result.stderr


@pytest.mark.usefixtures("reachable", "not_climbed")
def test_no_knee_is_looked_for_while_a_drill_holds_the_lab(home):
    lease.take(Home(home).chaos, "drill-1", now=time.time())
    result = invoke(command="knee")
    assert result.exit_code == 2
    assert "run drill-1 holds this lab" in result.stderr


@pytest.mark.usefixtures("reachable")
def test_no_load_is_sent_while_a_drill_holds_the_lab(home):
    lease.take(Home(home).chaos, "drill-1", now=time.time())
    result = invoke("goal")
    assert (result.exit_code, "run drill-1 holds this lab" in result.stderr) == (2, True)


@pytest.mark.usefixtures("reachable")
def test_no_load_is_sent_while_another_one_runs(home):
    run_dir = recorded(home, now=time.time())
    result = invoke("goal")
    assert (result.exit_code, f"load {run_dir.name} runs, for up to" in result.stderr) == (2, True)
    assert list((home / "runs").iterdir()) == [run_dir]


@pytest.mark.usefixtures("home", "reachable")
def test_what_made_the_measurement_above_the_knee_invalid_is_said(monkeypatch):
    reason = "Prometheus does not answer, so it is not known how late tweets were delivered"
    kept = knee.Kept(knee.SCHEMA, "now", "a processor", 2, "small", "plateau", 1.25, 204.0, "generator", (reason,), ())
    monkeypatch.setattr(knee, "find", lambda *_: kept)
    result = invoke(command="knee")
    assert result.exit_code == 0
    assert f"above it the measurement is not valid: {reason}" in result.stderr


@pytest.mark.usefixtures("home")
def test_a_run_that_is_not_there_cannot_be_reported():
    result = invoke("latest", command="report")
    assert result.exit_code == 2
    assert "`failwhale load run` records one" in result.stderr


def test_without_a_lab_it_says_how_to_start_one(tmp_path, monkeypatch):
    monkeypatch.setenv("FAILWHALE_HOME", str(tmp_path))
    result = invoke("goal")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "run `failwhale up` first" in result.stderr


@pytest.mark.usefixtures("home")
def test_a_lab_that_is_down_is_found_before_anything_is_written():
    result = invoke("goal")
    assert result.exit_code == 2
    assert "the app takes no connection on port 1" in result.stderr


@pytest.mark.usefixtures("reachable")
def test_without_users_it_says_how_to_get_some(home):
    (home / "seed.json").unlink()
    result = invoke("goal")
    assert result.exit_code == 2
    assert "failwhale seed" in result.stderr


@pytest.mark.usefixtures("home", "reachable")
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["gaol"], "no load preset 'gaol'"),
        (["goal", "--phase", "fault"], "is not NAME=SECONDS"),
        (["goal", "--phase", "fault=long"], "is not NAME=SECONDS"),
        (["goal", "--phase", "lunch=3"], "unknown phases ['lunch']"),
        (["goal", "--duration-scale", "0"], "above zero"),
    ],
)
def test_wrong_usage_is_named(arguments, message, home):
    result = invoke(*arguments)
    assert result.exit_code == 2
    assert message in result.stderr
    assert not (home / "runs").exists()


@pytest.mark.usefixtures("home", "reachable")
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--host", "http://example.com"), "example.com is not this machine"),
        (("--host", "example.com", "--anywhere"), "is no address"),
    ],
)
def test_the_page_is_not_opened_on_a_target_that_is_refused(arguments, message):
    result = open_page(*arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert message in result.stderr


@pytest.mark.usefixtures("reachable")
def test_the_page_is_not_opened_where_nobody_lives(home):
    (home / "seed.json").unlink()
    result = open_page()
    assert result.exit_code == 2
    assert "failwhale seed" in result.stderr


@pytest.mark.usefixtures("home", "reachable")
def test_the_page_is_not_opened_on_a_port_that_is_taken():
    with socket.socket() as stranger:
        stranger.bind(("127.0.0.1", 0))
        stranger.listen()
        result = open_page("--port", str(stranger.getsockname()[1]))
    assert result.exit_code == 2
    assert "Locust may be open already" in result.stderr


@pytest.mark.usefixtures("home", "reachable")
@pytest.mark.parametrize("port", ["0", "65536"])
def test_the_page_is_not_opened_on_a_port_that_is_none(port):
    result = open_page("--port", port)
    assert (result.exit_code, "Invalid value for '--port'" in result.stderr) == (2, True)


def open_page(*arguments):
    app = typer.Typer()
    load.register(app)
    return CliRunner().invoke(app, ["load", "ui", *arguments])
