"""Locust's page on the Load page: against a real one, which sends to a port where nobody listens."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace

import httpx
import pytest

from dashboards.console import swarm
from dashboards.console.spawn import Spawner
from dashboards.console.swarm import Page, Swarm, SwarmError, Wanted
from loadgen.runner import UI_LOCUSTFILE
from reference_app.contract.seed import Seed
from reference_app.contract.topology import LOCUST_PORT_OFFSET, SMALL, Lab, components
from reference_app.kit import files
from reference_app.kit.home import HOME_VARIABLE, REPOSITORY, Home
from tests.unit.dashboards.console.canned import Canned
from tests.unit.dashboards.console.conftest import NOBODY, Open

PATIENCE_S = 30
WANTED = Wanted(("Reader",), people=2, rate=10, preset="castle", scale=0.5)


@pytest.fixture(scope="module")
def locust(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """The port of a page as `failwhale load ui` serves it, for a lab of which nothing runs."""
    home = Home(tmp_path_factory.mktemp("locust"))
    parts = tuple(replace(component, port=NOBODY) for component in components(SMALL, 21900))
    files.write_json(home.lab_file, Lab(str(home.path), "small", 21900, parts, "a key for tests", "a password"))
    files.write_json(home.seed_file, Seed(10, 0, "synthetic", directed=True, top_followers=0, seeded_at=0))
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    options = ["--web-host", "127.0.0.1", "--web-port", str(port), "--class-picker", "--stop-timeout", "0"]
    with (home.path / "locust.log").open("wb") as log:
        running = subprocess.Popen(
            [sys.executable, "-m", "locust", "-f", str(UI_LOCUSTFILE), *options], cwd=REPOSITORY, stdout=log, stderr=log,
            stdin=subprocess.DEVNULL, env={**os.environ, HOME_VARIABLE: str(home.path)},
        )  # fmt: skip
    try:
        until(Page(f"http://127.0.0.1:{port}").swarm, (home.path / "locust.log").read_text)
        yield port
    finally:
        running.kill()
        running.wait(10)


@pytest.fixture
def page(locust: int) -> Iterator[Page]:
    """Its swarm is stopped afterwards, and Locust says so: what it says may be two seconds old."""
    page = Page(f"http://127.0.0.1:{locust}")
    yield page
    page.stop()
    until(lambda: told(page).idle)


@pytest.fixture
def lab_of_it(locust: int, prometheus: Canned, empty_home: Home) -> None:
    """The lab of the console's home, whose Locust it is."""
    assert prometheus
    files.write_json(empty_home.lab_file, replace(empty_home.lab(), port_base=locust - LOCUST_PORT_OFFSET))


def until(condition: Callable[[], object], why: Callable[[], str] = str) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline, why()
        time.sleep(0.1)


def told(page: Page) -> Swarm:
    seen = page.swarm()
    assert seen is not None
    return seen


def test_a_swarm_is_started_with_what_the_page_offers_told_and_stopped(page: Page) -> None:
    page.start(WANTED)
    until(lambda: told(page).user_count == WANTED.people and told(page).current_rps > 0)
    seen = told(page)
    assert (seen.state, seen.idle, seen.fail_ratio) == ("running", False, 1)
    assert seen.headline() | {"Requests": "", "p50": "", "p95": ""} == {
        "People": "2", "Requests": "", "Failed": "100 %", "p50": "", "p95": "",
    }  # fmt: skip
    assert seen.headline()["p95"].endswith("ms")
    page.stop()
    until(lambda: told(page).idle)


def test_the_people_and_shapes_are_those_of_the_page(page: Page) -> None:
    offered = httpx.get(page.url, timeout=5, trust_env=False).text
    assert all(re.search(rf"\b{name}\b", offered) for name in (*swarm.PEOPLE, swarm.EVENT, "preset", "scale"))
    assert "Locust" in httpx.get(page.report, timeout=5, trust_env=False).text


def test_the_shape_of_an_event_needs_no_more_than_its_preset(page: Page) -> None:
    page.start(replace(WANTED, shape=swarm.EVENT, scale=2))
    until(lambda: not told(page).idle)


@pytest.mark.parametrize(
    ("wanted", "why"), [(replace(WANTED, scale=-1), "the scale is -1"), (replace(WANTED, rate=0), "invalid user_count or spawn_rate")]
)
def test_what_locust_refuses_is_told_in_its_words(page: Page, wanted: Wanted, why: str) -> None:
    with pytest.raises(SwarmError, match=why):
        page.start(wanted)


def test_where_nobody_answers_is_no_swarm_and_none_can_be_started() -> None:
    nobody = Page(f"http://127.0.0.1:{NOBODY}")
    assert nobody.swarm() is None
    with pytest.raises(SwarmError, match="did not take it"):
        nobody.start(WANTED)


def test_without_an_answer_a_percentile_is_a_dash() -> None:
    assert Swarm("ready", 0).headline()["p50"] == "–"  # noqa: RUF001


@pytest.mark.usefixtures("prometheus")
def test_where_locust_does_not_run_a_button_opens_it(opened: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[float] = []
    monkeypatch.setattr(Spawner, "start_locust", lambda _, *, now: started.append(now))
    shown = opened("load")
    assert any("`failwhale load ui`" in caption.value for caption in shown.app.caption)
    shown.app.button(key="open-locust").click()
    shown.run()
    assert len(started) == 1


@pytest.mark.usefixtures("lab")
def test_a_lab_that_is_down_has_no_locust(opened: Open) -> None:
    assert opened("load").app.button(key="open-locust").disabled


def test_locust_that_cannot_be_opened_says_why(empty_home: Home, opened: Open) -> None:
    spawner = Spawner(empty_home, "locust")
    spawner.start_locust(now=time.time())
    until(lambda: spawner.running() is None)
    assert "Locust ended: failwhale: no lab at" in opened("load").told


@pytest.mark.usefixtures("lab_of_it")
def test_a_swarm_is_started_watched_and_stopped_from_the_console(page: Page, opened: Open) -> None:
    shown = opened("load", preset="castle")
    assert shown.metrics["State"] in ("ready", "stopped")
    shown.app.multiselect(key="swarm-who").set_value([])
    shown.app.button(key="start-swarm").click()
    assert [toast.value for toast in shown.run().app.toast] == ["Nobody is picked."]
    shown.app.multiselect(key="swarm-who").set_value(["Reader"])
    shown.app.number_input(key="swarm-people").set_value(3)
    shown.app.button(key="start-swarm").click()
    shown.run()
    until(lambda: told(page).user_count == 3)
    assert shown.run().metrics["People"] == "3"
    shown.app.button(key="stop-swarm").click()
    shown.run()
    until(lambda: told(page).idle)
