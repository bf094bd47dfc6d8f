"""Headless Chromium, each browser with an empty profile of its own."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.remote.webdriver import WebDriver

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
