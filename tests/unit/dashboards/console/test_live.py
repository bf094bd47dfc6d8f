"""Live as a user finds it: without a lab, with one that is down, with a Prometheus that is dead, and with one that answers."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterator
from dataclasses import replace

import msgspec
import pytest

from chaos import events, halt, undo
from chaos.faults.process import KillAndHold
from dashboards.console.views import actions, sights
from reference_app.contract import metrics
from reference_app.contract import plan as plans
from reference_app.contract.plan import Plan
from reference_app.contract.topology import SMALL, Lab, components
from reference_app.kit import deciders, files, lease
from reference_app.kit.home import MARK_VARIABLE, Home
from reference_app.stack.program import COMPONENT_VARIABLE
from tests.unit.dashboards.console.canned import Canned, labels
from tests.unit.dashboards.console.conftest import Open

ALL = len(components(SMALL, 0))


@pytest.fixture
def users_service(empty_home: Home) -> Iterator[None]:
    """A process that carries the mark of a component of the lab."""
    marks = {MARK_VARIABLE: str(empty_home.path), COMPONENT_VARIABLE: "users-0"}
    running = subprocess.Popen(["sleep", "60"], env=os.environ | marks, start_new_session=True)
    try:
        yield
    finally:
        running.kill()
        running.wait()


def test_a_home_without_a_lab_says_how_to_start_one(empty_home: Home, opened: Open) -> None:
    page = opened("live")
    assert f"There is no lab in `{empty_home.path}` yet" in page.told
    assert "failwhale up" in page.told
    assert "no lab" in page.text("header")
    assert set(page.pictures) == {"header", "startdrill"}


@pytest.mark.usefixtures("lab")
def test_a_lab_that_is_down_says_how_to_start_it(opened: Open) -> None:
    page = opened("live")
    assert "The lab is down" in page.told
    assert "failwhale up" in page.told
    assert "it is down" in page.text("header")
    assert "topology" not in page.pictures


@pytest.mark.usefixtures("lab", "users_service")
def test_a_dead_prometheus_is_shown_as_such_and_the_map_shows_processes(opened: Open) -> None:
    page = opened("live")
    assert "There are no measurements (the process of Prometheus: missing)" in page.told
    assert "failwhale up" in page.told
    assert "Prometheus does not answer" in page.text("header")
    assert 'fw-cell fw-runs" data-component="users-0"' in page.pictures["topology"]
    assert 'fw-cell fw-down" data-component="graph-0"' in page.pictures["topology"]
    assert "Nobody knows" in page.text("figures")
    assert not {"red", "stores"} & set(page.pictures)


@pytest.mark.usefixtures("users_service")
def test_the_page_recovers_by_itself_when_prometheus_is_back(prometheus: Canned, lab: Lab, empty_home: Home, opened: Open) -> None:
    answering = empty_home.lab_file.read_bytes()
    files.write_json(empty_home.lab_file, lab)  # at a port at which nothing listens
    page = opened("live")
    assert "There are no measurements" in page.told
    empty_home.lab_file.write_bytes(answering)
    deadline = time.monotonic() + 10
    while f"all {ALL} components answer" not in page.run().text("header") and time.monotonic() < deadline:
        assert "topology" in page.pictures
    assert {"topology", "red", "stores"} <= set(page.pictures)
    assert "There are no measurements" not in page.told
    assert prometheus.asked


@pytest.mark.usefixtures("prometheus")
def test_a_healthy_lab_is_shown_with_rates_durations_and_stores(opened: Open) -> None:
    page = opened("live")
    assert f"small lab ● all {ALL} components answer" in page.text("header")
    assert "gateway requests 40/s 25 % errors 5/s" not in page.text("red")
    assert "gateway requests 40/s 25 % errors" in page.text("red")
    assert "1.2 s 12.3 ms" in page.text("red")
    assert "90 % hits" in page.text("stores")
    assert "fanout messages not taken yet 1,234 waiting" in page.text("stores")
    assert "Home pages 80/s served per second Complete 75 %" in page.text("figures")
    assert "cpu 75 %" in page.text("figures")
    assert "None is active" in page.text("figures")
    assert "All have their default" in page.text("figures")


def test_who_is_down_or_hangs_is_named_and_marked(prometheus: Canned, opened: Open) -> None:
    up, hung = metrics.COMPONENT_UP.name, metrics.COMPONENT_HUNG.name
    state = next(series for series in prometheus.series.values() if labels(up, component="users-0") in series)
    state[labels(up, component="users-0")] = lambda _: 0.0
    state[labels(up, component="graph-0")] = lambda _: 0.0
    state[labels(hung, component="graph-0")] = lambda _: 1.0
    state[labels(metrics.BREAKER_OPEN.name, service="gateway", peer="users-0")] = lambda _: 1.0
    page = opened("live")
    assert f"{ALL - 2} of {ALL} components answer; users-0, graph-0 do not" in page.text("header")
    assert 'fw-cell fw-down" data-component="users-0"' in page.pictures["topology"]
    assert 'fw-cell fw-hangs" data-component="graph-0"' in page.pictures["topology"]
    assert "gateway calls users: its breaker is open" in page.pictures["topology"]


def test_active_alerts_stand_beside_the_map_pages_first(prometheus: Canned, opened: Open) -> None:
    prometheus.alerts = [
        {"labels": {"alertname": name, "severity": severity} | about, "state": "firing", "activeAt": "2026-11-21T02:45:00Z"}
        for name, severity, about in (
            ("ComponentDown", "ticket", {"component": "users-0"}),
            ("SloBurn", "page", {"slo": "home-read-availability"}),
            ("Watchdog", "none", {}),
        )
    ]
    text = opened("live").text("figures")
    assert text.index("SloBurn home-read-availability page, firing for") < text.index("ComponentDown users-0 ticket")
    assert "Watchdog" not in text


@pytest.mark.usefixtures("prometheus")
def test_a_fault_in_force_is_announced_ringed_and_drawn_as_a_band(empty_home: Home, opened: Open) -> None:
    run_dir, since = empty_home.runs / "20261121T024500Z-kill-tweet-shard", time.time() - 60
    fault = KillAndHold(component="tweets-db-0-primary")
    record = undo.Record(run_dir.name, 1, since, fault)
    files.write_json(empty_home.chaos / "undo" / f"{run_dir.name}-0001.json", record)
    events.write(run_dir, "injected", clock=lambda: since, fault=fault.kind, components=fault.components)
    page = opened("live")
    assert "Fault in force: kill_and_hold on tweets-db-0-primary" in page.text("notices")
    assert "fw-faulty" in page.pictures["topology"]
    assert page.pictures["red"].count("fw-band") == 16


@pytest.mark.usefixtures("prometheus")
def test_deciders_that_differ_from_their_default_are_listed(empty_home: Home, opened: Open) -> None:
    files.write_json(empty_home.deciders_file, deciders.defaults() | {"replica_reads": 0})
    assert "replica_reads 0 default 10,000" in opened("live").text("figures")


@pytest.mark.usefixtures("prometheus")
def test_while_chaos_is_halted_no_drill_can_be_started_and_resuming_is_offered(empty_home: Home, opened: Open) -> None:
    halt.pull(empty_home.chaos, "too many cooks", now=time.time())
    page = opened("live")
    assert "Chaos is halted too many cooks" in page.text("notices")
    assert actions.why_not(sights.now()) == "Chaos is halted: resume it first."
    page.app.button(key="resume").click()
    page.run()
    assert halt.read(empty_home.chaos) is None
    assert "Chaos is halted" not in page.pictures.get("notices", "")


@pytest.mark.usefixtures("prometheus")
def test_halting_takes_a_reason(empty_home: Home, opened: Open) -> None:
    page = opened("live")
    page.app.text_input(key="reason").set_value("a rehearsal for the CEO")
    page.app.button(key="halt").click()
    page.run()
    halted = halt.read(empty_home.chaos)
    assert halted is not None
    assert halted.reason == "a rehearsal for the CEO"


@pytest.mark.usefixtures("prometheus")
def test_a_run_that_holds_the_lab_is_shown_with_its_phase(home: Home, run_id: str, opened: Open) -> None:
    recorded = msgspec.json.decode((home.runs / run_id / plans.FILE).read_bytes(), type=Plan)
    files.write_json(home.runs / run_id / plans.FILE, replace(recorded, t0=time.time() - recorded.phase("fault").start - 1))
    lease.take(home.chaos, run_id, now=time.time())
    page = opened("live")
    assert f"{recorded.drill} is running fault," in page.text("progress")
    assert "fw-phase-present fw-phase-fault" in page.pictures["progress"]
    assert actions.why_not(sights.now()) == "A run holds the lab: one at a time."
    lease.release(home.chaos)
