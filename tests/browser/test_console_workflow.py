"""A whole piece of work in the console, on the running lab: from the press that breaks it to the published postmortem of what happened."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webdriver import WebDriver

from postmortems import store
from reference_app.contract.topology import Lab
from reference_app.kit.home import Home
from tests.browser.conftest import serving
from tests.browser.walking import HEIGHT, Walker

DRILL, DRILL_S = "kill-tweet-shard-no-replica-reads", 300
SAID = " The outage was caused by human error."
EDITOR = "[data-testid=stTextArea] textarea"

pytestmark = [pytest.mark.browser, pytest.mark.lab, pytest.mark.verify, pytest.mark.timeout(3 * DRILL_S)]


@pytest.fixture
def walker(
    lab: Lab,  # noqa: ARG001 - it runs
    home: Home,
    await_answer: Callable[[str, float], None],
    open_browser: Callable[[int, int], WebDriver],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Walker]:
    """A browser on the console of the running lab."""
    with serving(home, await_answer) as url:
        yield Walker(open_browser(1400, HEIGHT), url, tmp_path_factory.mktemp("workflow"))


@pytest.mark.breaks
def test_from_the_press_that_breaks_it_over_incident_draft_review_and_actions_to_the_published_text_and_its_pdf(
    walker: Walker, home: Home
) -> None:
    _break_it(walker)
    _watch(walker)
    incident_id = max(path.name for path in home.runs.iterdir() if path.name.endswith(DRILL))
    walker.open(f"/incidents?incident={incident_id}", until="the fault is in force")
    walker.portray("incident")
    walker.click("a", "Its postmortem")
    walker.wait(lambda: "Contributing conditions" in walker.text)
    _write(walker)
    _review(walker)
    _act_and_publish(walker)
    directory = home.incidents / incident_id
    assert "The replica answered" in (directory / store.POSTMORTEM).read_text()
    assert store.read(home, incident_id).header.status == "published"
    assert (directory / f"{incident_id}.pdf").read_bytes().startswith(b"%PDF")
    assert (home.path / "archive" / incident_id / store.POSTMORTEM).exists()


def _break_it(walker: Walker) -> None:
    walker.open(f"/drills?view=Catalogue&drill={DRILL}", until="Look ahead")
    walker.click("button:enabled", "Look ahead")
    walker.wait(lambda: "Break it now" in walker.text)
    walker.click("button:enabled", "Break it now")
    walker.wait(lambda: f"{DRILL} is running" in walker.text)


def _watch(walker: Walker) -> None:
    walker.open("/live", until=f"{DRILL} is running")
    walker.wait(lambda: "SloBurn" in walker.text, within_s=DRILL_S)
    walker.portray("live")
    walker.open("/drills", until="is running")
    # A browser beside it may make the load invalid on two cores: which verdict it is does not matter here.
    walker.wait(lambda: f"The drill {DRILL} ended: " in walker.text, within_s=DRILL_S)
    walker.click("a", "See the run")
    walker.wait(lambda: "the experiment predicts" in walker.text)
    walker.portray("drill")


def _write(walker: Walker) -> None:
    walker.click("[role=tab]", "Write")
    walker.append(EDITOR, SAID)
    walker.wait(lambda: "human error" in walker.text and "Instead:" in walker.text)
    walker.portray("write")
    walker.append(EDITOR, f"{Keys.BACKSPACE * len(SAID)}The replica answered.")
    walker.wait(lambda: "Instead:" not in walker.text or "human error" not in walker.text)
    walker.click("button:enabled", "Save")
    walker.wait(lambda: "The text is saved" in walker.text)


def _review(walker: Walker) -> None:
    walker.click("[role=tab]", "Review, actions, publish")
    walker.wait(lambda: "no reviewers are named" in walker.text)
    walker.type("input[aria-label=Reviewers]", "Grace")
    walker.wait(lambda: "Every gate to the next state is met" in walker.text)
    walker.click("button:enabled", "Ask for review")
    walker.wait(lambda: "It is in-review now" in walker.text)


def _act_and_publish(walker: Walker) -> None:
    walker.type("input[aria-label='What is to change']", "Alert on a replica that lags")
    walker.click("button:enabled", "Add the action")
    walker.wait(lambda: "A1 lacks an owner" in walker.text)
    walker.portray("gates")
    walker.type("input[aria-label='Or why not']", "this lab has no such replica")
    walker.click("button:enabled", "Decline")
    walker.wait(lambda: "A1 is declined" in walker.text)
    walker.click("button:enabled", "Publish")
    walker.wait(lambda: "It is published now" in walker.text)
    walker.click("button:enabled", "Make a PDF")
    walker.wait(lambda: "Download the PDF" in walker.text)
    walker.portray("published")
