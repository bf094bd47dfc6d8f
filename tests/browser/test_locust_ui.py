"""Locust's own page, opened by `failwhale load ui` and used with a real browser against the running lab."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webdriver import WebDriver
from selenium.webdriver.support.ui import Select, WebDriverWait

from reference_app.contract.topology import Lab
from reference_app.kit.home import REPOSITORY, Home
from reference_app.stack import marks

PATIENCE_S = 30

pytestmark = [
    pytest.mark.browser,
    pytest.mark.lab,
    pytest.mark.verify,
]


@pytest.fixture
def url(lab: Lab, home: Home, tmp_path: Path, await_answer: Callable[[str, float], None]) -> Iterator[str]:
    """The page of the lab, ended by Ctrl-C."""
    url = f"http://127.0.0.1:{lab.locust_port}"
    with (tmp_path / "locust.log").open("wb") as log:
        running = subprocess.Popen([sys.executable, "-m", "failwhale", "load", "ui"], cwd=REPOSITORY, stdout=log, stderr=log)
    try:
        await_answer(url, PATIENCE_S)
        assert any(process.pid != running.pid for process in marks.find(home.path) if not process.component), "`failwhale down` ends it"
        yield url
    finally:
        running.send_signal(signal.SIGINT)
        assert running.wait(10) == 0
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", lab.locust_port)) != 0


@pytest.fixture
def browser(open_browser: Callable[[int, int], WebDriver]) -> WebDriver:
    return open_browser(1280, 1300)


def test_people_are_picked_started_counted_and_stopped(browser: WebDriver, url: str, lab: Lab, tmp_path: Path) -> None:
    wait = WebDriverWait(browser, PATIENCE_S)
    browser.get(url)
    form = wait.until(lambda b: b.find_element(By.CSS_SELECTOR, "input[name=userCount]"))
    assert {"Browser", "Poster", "Reader", "Spike"} <= set(_text(browser).splitlines())
    assert [option.text for option in Select(browser.find_element(By.NAME, "shapeClass")).options] == ["Default", "Event"]
    assert browser.find_element(By.NAME, "host").get_attribute("value") == lab.entry_url
    assert browser.find_element(By.NAME, "preset")
    _tick(browser, "Browser")
    form.send_keys("2")
    browser.find_element(By.NAME, "spawnRate").send_keys("2")
    browser.find_element(By.CSS_SELECTOR, "button[type=submit]").click()
    wait.until(lambda b: "/home" in _text(b) and "RUNNING" in _text(b))
    assert browser.save_screenshot(str(tmp_path / "locust.png"))
    next(button for button in browser.find_elements(By.TAG_NAME, "button") if button.text == "STOP").click()
    wait.until(lambda b: "STOPPED" in _text(b))
    seen = httpx.get(f"{url}/stats/requests", timeout=5, trust_env=False).json()
    assert (seen["fail_ratio"], seen["errors"]) == (0, [])
    assert next(row for row in seen["stats"] if row["name"] == "Aggregated")["num_requests"] >= 1


def _text(browser: WebDriver) -> str:
    return browser.find_element(By.TAG_NAME, "body").text


def _tick(browser: WebDriver, name: str) -> None:
    row = next(row for row in browser.find_elements(By.TAG_NAME, "tr") if name in row.text.split())
    row.find_element(By.CSS_SELECTOR, "input[type=checkbox]").click()
