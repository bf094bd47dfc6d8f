"""A walk through the console with a real browser: all pages, light and dark, wide and narrow, each kept as a screenshot."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from selenium.common.exceptions import StaleElementReferenceException
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webdriver import WebDriver
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.ui import WebDriverWait

from chaos import catalogue
from postmortems import store
from reference_app.collector.segments import Segments
from reference_app.contract.topology import SMALL, Lab, components
from reference_app.kit import files
from reference_app.kit.home import HOME_VARIABLE, REPOSITORY, Home
from tests.unit.dashboards.console import canned
from tests.unit.dashboards.console.canned import Canned

RECORDED = REPOSITORY / "tests" / "fixtures" / "recorded-run" / "runs"
TRACE, RUN_START = "0" * 31 + "1", 1_795_229_100
CHARTS, PATIENCE_S, HEIGHT = 4, 60, 1300
SCHEME = "return getComputedStyle(document.querySelector('.stApp')).colorScheme"
OURS = "return performance.getEntriesByType('resource').map(entry => entry.name).filter(name => !name.startsWith(location.origin))"

pytestmark = [
    pytest.mark.browser,
]


@dataclass(frozen=True)
class Walker:
    """A browser on the console. What it saw is kept below `shots`."""

    browser: WebDriver
    url: str
    shots: Path

    def portray(self, name: str) -> None:
        """Screenshots of the page as it is now, narrow and dark, then wide and light."""
        for scheme, width in (("dark", 800), ("light", 1400)):
            self._dress(scheme, width)
            self.keep(f"{name}-{scheme}-{width}")

    def _dress(self, scheme: str, width: int) -> None:
        """As if the system had this scheme, which the app follows."""
        feature = {"name": "prefers-color-scheme", "value": scheme}
        self.browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [feature]})
        size = {"width": width, "height": HEIGHT, "deviceScaleFactor": 1, "mobile": False}
        self.browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
        self.wait(lambda: self.browser.execute_script(SCHEME) == scheme)

    def open(self, path: str, *, until: str) -> float:
        """Seconds until the page shows these words."""
        began = time.monotonic()
        self.browser.get(f"{self.url}{path}")
        self.wait(lambda: until in self.text)
        return time.monotonic() - began

    def wait(self, condition: Callable[[], object]) -> None:
        waiting = WebDriverWait(self.browser, PATIENCE_S, 0.1, ignored_exceptions=[StaleElementReferenceException])
        waiting.until(lambda _: condition())

    def click(self, selector: str, text: str) -> None:
        """The element of that text, as soon as it is there."""
        self.wait(lambda: [self._click(element) for element in self.all(selector) if text in element.text])

    def keep(self, name: str) -> None:
        """A screenshot of a page on which nothing went wrong."""
        assert self.browser.save_screenshot(str(self.shots / f"{name}.png"))
        assert "Traceback" not in self.text
        assert not self.all("[data-testid=stException]")

    def all(self, selector: str) -> list[WebElement]:
        return self.browser.find_elements(By.CSS_SELECTOR, selector)

    @property
    def text(self) -> str:
        return self.browser.find_element(By.TAG_NAME, "body").text

    def _click(self, element: WebElement) -> bool:
        self.browser.execute_script("arguments[0].scrollIntoView({block: 'center'}); arguments[0].click()", element)
        return True


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
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
def prometheus(home: Home) -> Iterator[Canned]:
    """A small lab of which a database is down, as its Prometheus tells it."""
    parts = components(SMALL, 21900)
    telling = canned.lab([part.name for part in parts], down=("tweets-db-0-primary",))
    with telling.serve() as port:
        placed = tuple(replace(part, port=port) if part.kind == "prometheus" else part for part in parts)
        files.write_json(home.lab_file, Lab(str(home.path), "small", 21900, placed, "a key for tests", "a password"))
        yield telling


@pytest.fixture(scope="module")
def url(home: Home, await_answer: Callable[[str, float], None]) -> Iterator[str]:
    """The console as plain `streamlit run` starts it."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [str(Path(sys.executable).with_name("streamlit")), "run", "dashboards/console/app.py", "--server.port", str(port)]
    with (home.path / "console.log").open("wb") as log:
        running = subprocess.Popen(command, cwd=REPOSITORY, env={**os.environ, HOME_VARIABLE: str(home.path)}, stdout=log, stderr=log)
    try:
        await_answer(f"http://127.0.0.1:{port}/_stcore/health", PATIENCE_S)
        yield f"http://127.0.0.1:{port}"
    finally:
        running.terminate()
        running.wait(10)


@pytest.fixture(scope="module")
def walker(url: str, open_browser: Callable[[int, int], WebDriver], tmp_path_factory: pytest.TempPathFactory) -> Walker:
    return Walker(open_browser(1400, HEIGHT), url, tmp_path_factory.mktemp("screenshots"))


@pytest.mark.usefixtures("prometheus")
def test_live_shows_the_lab_with_what_is_down(walker: Walker) -> None:
    walker.open("/live", until="22 of 23 components answer; tweets-db-0-primary does not")
    walker.wait(lambda: len(walker.all(".fw-red-row .fw-plot")) == 16)
    assert len(walker.all("[data-component].fw-down")) == 1
    assert len(walker.all("[data-component].fw-answers")) == 18
    assert "25 % errors" in walker.text
    walker.portray("live")


@pytest.mark.verify
@pytest.mark.usefixtures("prometheus")
def test_live_refreshes_itself(walker: Walker) -> None:
    walker.open("/live", until="UTC")
    first = walker.all(".fw-clock")[0].text
    walker.wait(lambda: walker.all(".fw-clock")[0].text != first)


@pytest.mark.verify
@pytest.mark.usefixtures("prometheus")
def test_pointing_at_a_chart_reads_it_out(walker: Walker) -> None:
    walker.open("/live", until="25 % errors")
    walker.wait(lambda: walker.browser.execute_script(
        "const plot = document.querySelector('.fw-red .fw-plot'), box = plot.getBoundingClientRect();"
        "plot.dispatchEvent(new PointerEvent('pointermove', {bubbles: true, clientX: box.left + box.width / 2}));"
        "return plot.querySelector('.fw-tip')?.textContent.includes('rate 40 /s   errors 10 /s')"
    ))  # fmt: skip


@pytest.mark.verify
def test_nothing_that_happens_to_a_drill_is_one_click_away(walker: Walker, prometheus: Canned) -> None:
    assert prometheus
    walker.open("/live", until="Start a drill")
    walker.click("a", "Start a drill")
    walker.wait(lambda: "Break it now" in walker.text)
    assert catalogue.load(catalogue.names()[0]).extension.truth.fault in walker.text
    walker.keep("start-a-drill")


def test_drills_show_a_run_with_its_charts(walker: Walker, home: Home) -> None:
    run_id = next(home.runs.iterdir()).name
    walker.open(f"/drills?run={run_id}", until="the experiment predicts")
    walker.wait(lambda: len(walker.all("[data-testid=stVegaLiteChart] canvas, [data-testid=stVegaLiteChart] svg")) == CHARTS)
    walker.portray("drills")
    assert f"run={run_id}" in walker.browser.current_url


def test_a_trace_is_picked_and_its_attributes_are_opened(walker: Walker) -> None:
    walker.open("/drills?part=Traces", until="span 1")
    walker.click("button.fw-trace-row", "span 1")
    walker.wait(lambda: len(walker.all(".fw-spans details")) == 3)
    walker.click(".fw-failed summary", "span 3")
    walker.wait(lambda: "error.type" in walker.text)
    walker.portray("trace")
    assert f"trace={TRACE}" in walker.browser.current_url


def test_a_postmortem_is_read_and_its_numbers_are_checked(walker: Walker) -> None:
    walker.open("/postmortems", until="Contributing conditions")
    walker.click("button", "Check every number")
    walker.wait(lambda: "is what the frozen snapshot gives" in walker.text)
    walker.portray("postmortem")


@pytest.mark.verify
def test_a_prometheus_that_dies_is_shown_while_the_page_lives_and_recovers(walker: Walker, home: Home, prometheus: Canned) -> None:
    assert prometheus
    lab = home.lab_file.read_bytes()
    walker.open("/live", until="22 of 23 components answer")
    parts = tuple(replace(part, port=9) for part in home.lab().components)
    files.write_json(home.lab_file, replace(home.lab(), components=parts))
    walker.wait(lambda: "The lab is down" in walker.text and "failwhale up" in walker.text)
    walker.keep("live-down")
    home.lab_file.write_bytes(lab)
    walker.wait(lambda: "22 of 23 components answer" in walker.text and "The lab is down" not in walker.text)


@pytest.mark.verify
def test_a_home_without_a_lab_says_how_to_start_one(walker: Walker, home: Home, prometheus: Canned) -> None:
    assert prometheus
    lab = home.lab_file.read_bytes()
    home.lab_file.unlink()
    walker.open("/live", until="There is no lab in")
    walker.keep("live-no-lab")
    home.lab_file.write_bytes(lab)


@pytest.mark.usefixtures("prometheus")
def test_pages_load_nothing_from_elsewhere_and_complain_of_nothing(walker: Walker) -> None:
    walker.browser.get_log("browser")
    for path, words in (("/", "Budget of the last hour".upper()), ("/live", "25 % errors"), ("/drills", "the experiment predicts"), ("/postmortems", "Contributing conditions")):
        walker.open(path, until=words)
        assert walker.browser.execute_script(OURS) == []
    complaints = [entry["message"] for entry in walker.browser.get_log("browser") if entry["level"] == "SEVERE"]
    assert [message for message in complaints if "/_stcore/" not in message] == []  # Streamlit looks for itself below the page first
