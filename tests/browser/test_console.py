"""One pass through the console with a real browser, on a recorded run."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webdriver import WebDriver
from selenium.webdriver.support.ui import WebDriverWait

from postmortems import store
from reference_app.kit.home import HOME_VARIABLE, REPOSITORY, Home

CHROMIUM, DRIVER = Path("/usr/bin/chromium"), Path("/usr/bin/chromedriver")
RECORDED = REPOSITORY / "tests" / "fixtures" / "recorded-run" / "runs"
FLAGS = (
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--window-size=1280,1300",
)  # fmt: skip
DRAWN = "[data-testid=stVegaLiteChart] canvas, [data-testid=stVegaLiteChart] svg"
CHARTS, PATIENCE_S = 4, 60

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(
        not (CHROMIUM.exists() and DRIVER.exists()), reason=f"needs {CHROMIUM} and {DRIVER}: apt-get install chromium chromium-driver"
    ),
]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = Home(tmp_path / "home")
    shutil.copytree(RECORDED, home.runs)
    store.draft(home, next(home.runs.iterdir()).name, prometheus=None)
    return home


@pytest.fixture
def url(home: Home, tmp_path: Path) -> Iterator[str]:
    """The console as plain `streamlit run` starts it."""
    url, port = "", free_port()
    command = [str(Path(sys.executable).with_name("streamlit")), "run", "dashboards/console/app.py", "--server.port", str(port)]
    with (tmp_path / "console.log").open("wb") as log:
        environment = {**os.environ, HOME_VARIABLE: str(home.path)}
        running = subprocess.Popen(command, cwd=REPOSITORY, env=environment, stdout=log, stderr=log)
    try:
        url = f"http://127.0.0.1:{port}"
        await_answer(f"{url}/_stcore/health")
        yield url
    finally:
        running.terminate()
        running.wait(10)


def await_answer(url: str) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while True:
        try:
            httpx.get(url, timeout=2, trust_env=False).raise_for_status()
        except httpx.HTTPError:
            assert time.monotonic() < deadline, f"{url} did not answer within {PATIENCE_S} s"
            time.sleep(0.2)
        else:
            return


@pytest.fixture
def browser(tmp_path: Path) -> Iterator[WebDriver]:
    options = webdriver.ChromeOptions()
    options.binary_location = str(CHROMIUM)
    for flag in (*FLAGS, f"--user-data-dir={tmp_path / 'profile'}"):
        options.add_argument(flag)
    browser = webdriver.Chrome(options=options, service=Service(str(DRIVER)))
    try:
        yield browser
    finally:
        browser.quit()


def test_a_drill_is_shown_with_its_charts_and_its_postmortem(browser: WebDriver, url: str, home: Home, tmp_path: Path) -> None:
    run_id = next(home.runs.iterdir()).name
    browser.get(f"{url}/?run={run_id}")
    wait = WebDriverWait(browser, PATIENCE_S)
    wait.until(lambda b: len(b.find_elements(By.CSS_SELECTOR, DRAWN)) == CHARTS)
    assert browser.save_screenshot(str(tmp_path / "drills.png"))
    next(tab for tab in browser.find_elements(By.CSS_SELECTOR, "[role=tab]") if tab.text == "Postmortem").click()
    wait.until(lambda b: "Contributing conditions" in b.find_element(By.CSS_SELECTOR, "[data-testid=stMain]").text)
    assert f"run={run_id}" in browser.current_url
    assert not browser.find_elements(By.CSS_SELECTOR, "[data-testid=stException]")
    assert [entry for entry in browser.get_log("browser") if entry["level"] == "SEVERE"] == []
