"""Headless Chromium, each browser with an empty profile of its own."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.remote.webdriver import WebDriver

from dashboards.console.desk import ARCHIVE_VARIABLE
from postmortems import store
from reference_app.collector.segments import Segments
from reference_app.contract.topology import SMALL, Lab, components
from reference_app.kit import files
from reference_app.kit.home import HOME_VARIABLE, REPOSITORY, Home
from tests.browser.walking import HEIGHT, PATIENCE_S, Walker
from tests.unit.dashboards.console import canned
from tests.unit.dashboards.console.canned import Canned

RECORDED = REPOSITORY / "tests" / "fixtures" / "recorded-run" / "runs"
TRACE, RUN_START = "0" * 31 + "1", 1_795_229_100

CHROMIUM, DRIVER = Path("/usr/bin/chromium"), Path("/usr/bin/chromedriver")
FLAGS = (
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
)  # fmt: skip


@pytest.fixture(scope="module")
def open_browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[int, int], WebDriver]]:
    """Opens a browser of that width and height; all are closed after the module."""
    if not (CHROMIUM.exists() and DRIVER.exists()):
        pytest.skip(f"needs {CHROMIUM} and {DRIVER}: apt-get install chromium chromium-driver")
    opened: list[WebDriver] = []

    def launch(width: int, height: int) -> WebDriver:
        options = webdriver.ChromeOptions()
        options.binary_location = str(CHROMIUM)
        for flag in (*FLAGS, f"--window-size={width},{height}", f"--user-data-dir={tmp_path_factory.mktemp('profile')}"):
            options.add_argument(flag)
        opened.append(webdriver.Chrome(options=options, service=Service(str(DRIVER))))
        return opened[-1]

    yield launch
    for browser in opened:
        browser.quit()


@pytest.fixture(scope="module")
def await_answer() -> Callable[[str, float], None]:
    """Until the page is served, at most that many seconds."""

    def wait(url: str, limit_s: float) -> None:
        deadline = time.monotonic() + limit_s
        while True:
            try:
                httpx.get(url, timeout=2, trust_env=False).raise_for_status()
            except httpx.HTTPError:
                assert time.monotonic() < deadline, f"{url} did not answer within {limit_s} s"
                time.sleep(0.2)
            else:
                return

    return wait


@pytest.fixture(scope="module")
def console_home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """One recorded run with its postmortem and one trace."""
    home = Home(tmp_path_factory.mktemp("console"))
    shutil.copytree(RECORDED, home.runs)
    store.draft(home, next(home.runs.iterdir()).name, prometheus=None)
    start, names = (RUN_START + 10) * 1_000_000_000, (("gateway", "SERVER"), ("tweets", "SERVER"), ("tweets", "CLIENT"))
    Segments(home.traces).write(
        [
            (TRACE, f"{n:016x}", f"{n - 1:016x}" if n > 1 else "", f"span {n}", kind, service, f"{service}-0", start + n, start + 10**9 * n,
             "ERROR" if n == 3 else "UNSET", "", '{"error.type": "timeout"}' if n == 3 else "{}")
            for n, (service, kind) in enumerate(names, 1)
        ]
    )  # fmt: skip
    return home


@pytest.fixture(scope="module")
def console_prometheus(console_home: Home) -> Iterator[Canned]:
    """A small lab of which a database is down, as its Prometheus tells it."""
    parts = components(SMALL, 21900)
    telling = canned.lab([part.name for part in parts], down=("tweets-db-0-primary",))
    with telling.serve() as port:
        placed = tuple(replace(part, port=port) if part.kind == "prometheus" else part for part in parts)
        files.write_json(console_home.lab_file, Lab(str(console_home.path), "small", 21900, placed, "a key for tests", "a password"))
        yield telling


@pytest.fixture(scope="module")
def console_url(console_home: Home, await_answer: Callable[[str, float], None]) -> Iterator[str]:
    """The console of the recorded home."""
    with serving(console_home, await_answer) as url:
        yield url


@contextlib.contextmanager
def serving(home: Home, await_answer: Callable[[str, float], None]) -> Iterator[str]:
    """The console of a home as plain `streamlit run` starts it."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [str(Path(sys.executable).with_name("streamlit")), "run", "dashboards/console/app.py", "--server.port", str(port)]
    with (home.path / "console.log").open("wb") as log:
        running = subprocess.Popen(
            command,
            cwd=REPOSITORY,
            env={**os.environ, HOME_VARIABLE: str(home.path), ARCHIVE_VARIABLE: str(home.path / "archive")},
            stdout=log,
            stderr=log,
        )
    try:
        await_answer(f"http://127.0.0.1:{port}/_stcore/health", PATIENCE_S)
        yield f"http://127.0.0.1:{port}"
    finally:
        running.terminate()
        running.wait(10)


@pytest.fixture(scope="module")
def walker(console_url: str, open_browser: Callable[[int, int], WebDriver], tmp_path_factory: pytest.TempPathFactory) -> Walker:
    return Walker(open_browser(1400, HEIGHT), console_url, tmp_path_factory.mktemp("screenshots"))
