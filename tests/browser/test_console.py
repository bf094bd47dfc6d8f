"""A walk through the console with a real browser: all pages, light and dark, wide and narrow, each kept as a screenshot."""

from __future__ import annotations

from dataclasses import replace

import pytest

from chaos import catalogue
from reference_app.contract.topology import SMALL, components
from reference_app.kit import files
from reference_app.kit.home import Home
from tests.browser.conftest import TRACE
from tests.browser.walking import Walker
from tests.unit.dashboards.console.canned import Canned

CHARTS, ALL = 4, len(components(SMALL, 0))
TOOLS = sum(component.tool for component in components(SMALL, 0))
OURS = "return performance.getEntriesByType('resource').map(entry => entry.name).filter(name => !name.startsWith(location.origin))"
PAGES = {
    "/": "BUDGET OF THE LAST HOUR", "/live": "25 % errors", "/load": "The slowest requests", "/drills": "the experiment predicts",
    "/drills?view=Catalogue": "Look ahead", "/drills?view=Compare": "Two recorded runs are needed", "/incidents": "Contributing components",
    "/postmortems": "Contributing conditions", "/postmortems?part=Write": "Lint", "/detection": "By drill", "/help": "Next step",
}  # fmt: skip
"""Every page, and words that are there once it is drawn."""

pytestmark = [
    pytest.mark.browser,
]


@pytest.mark.usefixtures("console_prometheus")
def test_live_shows_the_lab_with_what_is_down(walker: Walker) -> None:
    walker.open("/live", until=f"{ALL - 1} of {ALL} components answer; tweets-db-0-primary does not")
    walker.wait(lambda: len(walker.all(".fw-red-row .fw-plot")) == 16)
    assert len(walker.all("[data-component].fw-down")) == 1
    assert len(walker.all("[data-component].fw-answers")) == ALL - TOOLS - 1
    assert "25 % errors" in walker.text
    walker.portray("live")


@pytest.mark.verify
@pytest.mark.usefixtures("console_prometheus")
def test_live_refreshes_itself(walker: Walker) -> None:
    walker.open("/live", until="UTC")
    first = walker.all(".fw-clock")[0].text
    walker.wait(lambda: walker.all(".fw-clock")[0].text != first)


@pytest.mark.verify
@pytest.mark.usefixtures("console_prometheus")
def test_pointing_at_a_chart_reads_it_out(walker: Walker) -> None:
    walker.open("/live", until="25 % errors")
    walker.wait(lambda: walker.browser.execute_script(
        "const plot = document.querySelector('.fw-red .fw-plot'), box = plot.getBoundingClientRect();"
        "plot.dispatchEvent(new PointerEvent('pointermove', {bubbles: true, clientX: box.left + box.width / 2}));"
        "return plot.querySelector('.fw-tip')?.textContent.includes('rate 40 /s   errors 10 /s')"
    ))  # fmt: skip


@pytest.mark.verify
@pytest.mark.usefixtures("console_prometheus")
def test_what_a_drill_would_do_is_shown_before_it_can_be_started(walker: Walker) -> None:
    walker.open("/", until="Start a drill")
    walker.click("a", "Start a drill")
    walker.wait(lambda: "Look ahead" in walker.text)
    walker.click("button", "Look ahead")
    walker.wait(lambda: "Break it now" in walker.text)
    assert catalogue.load(catalogue.names()[0]).extension.truth.fault in walker.text
    walker.portray("catalogue")


def test_drills_show_a_run_with_its_charts(walker: Walker, console_home: Home) -> None:
    run_id = next(console_home.runs.iterdir()).name
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
def test_a_prometheus_that_dies_is_shown_while_the_page_lives_and_recovers(
    walker: Walker, console_home: Home, console_prometheus: Canned
) -> None:
    assert console_prometheus
    lab = console_home.lab_file.read_bytes()
    walker.open("/live", until=f"{ALL - 1} of {ALL} components answer")
    parts = tuple(replace(part, port=9) for part in console_home.lab().components)
    files.write_json(console_home.lab_file, replace(console_home.lab(), components=parts))
    walker.wait(lambda: "The lab is down" in walker.text and "failwhale up" in walker.text)
    walker.keep("live-down")
    console_home.lab_file.write_bytes(lab)
    walker.wait(lambda: f"{ALL - 1} of {ALL} components answer" in walker.text and "The lab is down" not in walker.text)


@pytest.mark.verify
def test_a_home_without_a_lab_says_how_to_start_one(walker: Walker, console_home: Home, console_prometheus: Canned) -> None:
    assert console_prometheus
    lab = console_home.lab_file.read_bytes()
    console_home.lab_file.unlink()
    walker.open("/live", until="There is no lab in")
    walker.keep("live-no-lab")
    console_home.lab_file.write_bytes(lab)


@pytest.mark.verify
@pytest.mark.usefixtures("console_prometheus")
def test_pages_load_nothing_from_elsewhere_and_complain_of_nothing(walker: Walker) -> None:
    walker.browser.get_log("browser")
    for path, words in PAGES.items():
        walker.open(path, until=words)
        assert walker.browser.execute_script(OURS) == []
    complaints = [entry["message"] for entry in walker.browser.get_log("browser") if entry["level"] == "SEVERE"]
    assert [message for message in complaints if "/_stcore/" not in message] == []  # Streamlit looks for itself below the page first


@pytest.mark.verify
@pytest.mark.usefixtures("console_prometheus")
@pytest.mark.parametrize("path", PAGES)
def test_every_page_fits_in_light_and_dark_at_both_widths(walker: Walker, path: str) -> None:
    name = path.replace("?", "-").replace("=", "-").strip("/") or "overview"
    walker.open(path, until=PAGES[path])
    for scheme, width in (("dark", 1280), ("light", 1280), ("dark", 1920), ("light", 1920)):
        walker.dress(scheme, width)
        walker.keep(f"{name}-{scheme}-{width}")
        assert walker.browser.execute_script("return document.documentElement.scrollWidth <= innerWidth"), f"{path} is wider than {width}"


@pytest.mark.verify
@pytest.mark.usefixtures("console_prometheus")
@pytest.mark.parametrize(("path", "wanted"), [("/", "Start a drill"), ("/drills?view=Catalogue", "Look ahead"), ("/load", "Send goal")])
def test_a_keyboard_reaches_what_a_page_is_for(walker: Walker, path: str, wanted: str) -> None:
    walker.open(path, until=wanted)
    assert any(wanted in walker.tab() for _ in range(60))


@pytest.mark.verify
@pytest.mark.usefixtures("console_prometheus")
def test_a_warm_first_page_is_there_within_two_seconds(walker: Walker) -> None:
    walker.open("/", until=PAGES["/"])
    assert sorted(walker.open("/", until=PAGES["/"]) for _ in range(5))[2] <= 2.0
