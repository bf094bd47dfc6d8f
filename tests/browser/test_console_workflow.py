"""A whole piece of work in the console: from an incident to its published postmortem."""

from __future__ import annotations

import pytest
from selenium.webdriver.common.keys import Keys

from postmortems import store
from reference_app.kit.home import Home
from tests.browser.walking import Walker

SAID = " The outage was caused by human error."
EDITOR = "[data-testid=stTextArea] textarea"

pytestmark = [pytest.mark.browser, pytest.mark.verify]


@pytest.fixture
def incident_id(console_home: Home) -> str:
    return next(console_home.incidents.iterdir()).name


@pytest.mark.usefixtures("console_prometheus")
def test_from_the_incident_over_draft_lint_review_and_actions_to_the_published_text_and_its_pdf(
    walker: Walker, console_home: Home, incident_id: str
) -> None:
    walker.open(f"/incidents?incident={incident_id}", until="the fault is in force")
    walker.portray("incident")
    walker.click("a", "Its postmortem")
    walker.wait(lambda: "Contributing conditions" in walker.text)
    _write(walker)
    _review(walker)
    _act_and_publish(walker)
    directory = console_home.incidents / incident_id
    assert "The replica answered" in (directory / store.POSTMORTEM).read_text()
    assert store.read(console_home, incident_id).header.status == "published"
    assert (directory / f"{incident_id}.pdf").read_bytes().startswith(b"%PDF")
    assert (console_home.path / "archive" / incident_id / store.POSTMORTEM).exists()


def _write(walker: Walker) -> None:
    walker.click("[role=tab]", "Write")
    walker.append(EDITOR, SAID)
    walker.wait(lambda: "human error" in walker.text and "Instead:" in walker.text)
    walker.portray("write")
    walker.append(EDITOR, f"{Keys.BACKSPACE * len(SAID)}The replica answered.")
    walker.wait(lambda: "Instead:" not in walker.text or "human error" not in walker.text)
    walker.click("button", "Save")
    walker.wait(lambda: "The text is saved" in walker.text)


def _review(walker: Walker) -> None:
    walker.click("[role=tab]", "Review, actions, publish")
    walker.wait(lambda: "no reviewers are named" in walker.text)
    walker.type("input[aria-label=Reviewers]", "Grace")
    walker.wait(lambda: "Every gate to the next state is met" in walker.text)
    walker.click("button", "Ask for review")
    walker.wait(lambda: "It is in-review now" in walker.text)


def _act_and_publish(walker: Walker) -> None:
    walker.type("input[aria-label='What is to change']", "Alert on a replica that lags")
    walker.click("button", "Add the action")
    walker.wait(lambda: "A1 lacks an owner" in walker.text)
    walker.portray("gates")
    walker.type("input[aria-label='Or why not']", "this lab has no such replica")
    walker.wait(lambda: not [button for button in walker.all("button:disabled") if "Decline" in button.text])
    walker.click("button", "Decline")
    walker.wait(lambda: "A1 is declined" in walker.text)
    walker.click("button", "Publish")
    walker.wait(lambda: "It is published now" in walker.text)
    walker.click("button", "Make a PDF")
    walker.wait(lambda: "Download the PDF" in walker.text)
    walker.portray("published")
