"""The console while the parts that watch the lab are dead themselves: pages load, say so, and recover without anybody's help."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from selenium.webdriver.remote.webdriver import WebDriver

from reference_app.contract.topology import Lab
from reference_app.kit.home import Home
from reference_app.stack.control import Control
from tests.browser.conftest import serving
from tests.browser.walking import HEIGHT, Walker

SAID = {
    "prometheus": "Prometheus does not answer",
    "alertmanager": "components answer; alertmanager does not",
    "collector": "components answer; collector does not",
}
"""In the header of every page."""
PAGES = ("/", "/live", "/load", "/drills", "/incidents", "/postmortems", "/detection", "/help")

pytestmark = [pytest.mark.browser, pytest.mark.lab, pytest.mark.verify, pytest.mark.breaks]


@pytest.fixture(scope="module")
def live_console(_started: Lab, home: Home, await_answer: Callable[[str, float], None]) -> Iterator[str]:
    with serving(home, await_answer) as url:
        yield url


@pytest.fixture(scope="module")
def walker(live_console: str, open_browser: Callable[[int, int], WebDriver], tmp_path_factory: pytest.TempPathFactory) -> Walker:
    return Walker(open_browser(1400, HEIGHT), live_console, tmp_path_factory.mktemp("blind"))


@pytest.mark.parametrize("dead", list(SAID))
def test_pages_load_without_a_part_that_watches_say_so_and_recover(walker: Walker, lab: Lab, home: Home, dead: str) -> None:
    everybody = f"all {len(lab.components)} components answer"
    walker.open("/", until=everybody)
    Control(home).kill_and_hold(dead)
    for page in PAGES:
        walker.open(page, until=SAID[dead])
        walker.keep(f"{dead}{page.replace('/', '-')}")
    Control(home).start(dead)
    walker.wait(lambda: SAID[dead] not in walker.text)
    walker.open("/live", until=everybody)
