"""The Postmortems page as a user finds it, on a recorded run."""

from __future__ import annotations

import pytest

from reference_app.kit.home import Home
from tests.unit.dashboards.console.conftest import Open


def test_an_empty_home_says_how_to_draft_one(empty_home: Home, opened: Open) -> None:
    page = opened("postmortems")
    assert f"There is no postmortem in `{empty_home.incidents}`" in page.told
    assert "failwhale postmortem new RUN_ID" in page.told


def test_incidents_are_listed_with_status_verdict_and_headline(run_id: str, opened: Open) -> None:
    row = opened("postmortems").table("severity").iloc[0]
    assert (row["id"], row["status"], row["verdict"]) == (run_id, "draft", "deviated")
    assert (row["users harmed"], row["posts lost"]) == (12, 0)
    assert row["to detect"] is None


@pytest.mark.usefixtures("home")
def test_one_is_shown_with_its_headline_and_its_text(opened: Open) -> None:
    page = opened("postmortems")
    assert page.metrics["Users harmed"] == "12 of 29"
    assert page.metrics["Posts lost"] == "0 of 73"
    assert page.metrics["Time to detect"] == "not available"
    text = next(block.value for block in page.app.markdown if "## Contributing conditions" in block.value)
    assert "fig:" not in text
    assert "snapshot_sha256" not in text
    assert any("failwhale postmortem check" in caption.value for caption in page.app.caption)


@pytest.mark.usefixtures("home")
def test_one_is_shown_with_its_charts(opened: Open) -> None:
    assert len(opened("postmortems", part="Charts").app.get("vega_lite_chart")) == 4


@pytest.mark.usefixtures("home")
def test_every_figure_is_listed_with_what_it_is_derived_from(opened: Open) -> None:
    rows = opened("postmortems", part="Every figure").table("derived from").set_index("figure")
    assert rows.loc["users.harmed", "value"] == "12"
    assert "operations.parquet" in rows.loc["users.harmed", "derived from"]


@pytest.mark.usefixtures("home")
def test_a_check_of_true_numbers_finds_nothing(opened: Open) -> None:
    page = opened("postmortems")
    page.app.button(key="check").click()
    assert "Every number of text, record and charts is what the frozen snapshot gives" in page.run().told


def test_a_check_finds_a_number_that_somebody_made_up(home: Home, run_id: str, opened: Open) -> None:
    path = home.incidents / run_id / "postmortem.md"
    path.write_text(path.read_text().replace("Of 73<!-- fig:posts.acknowledged -->", "Of 99<!-- fig:posts.acknowledged -->"))
    page = opened("postmortems")
    page.app.button(key="check").click()
    page.run()
    assert "1 findings" in page.told
    assert "posts.acknowledged" in page.told


@pytest.mark.parametrize(
    ("file", "was", "now"),
    [("postmortem.md", "Of 73<!--", "Of 99<!--"), ("incident.yaml", "status: draft", "status: in-review")],
)
def test_what_was_checked_is_told_until_text_or_record_change(home: Home, run_id: str, opened: Open, file: str, was: str, now: str) -> None:
    page = opened("postmortems")
    page.app.button(key="check").click()
    assert "Every number" in page.run().run().told
    path = home.incidents / run_id / file
    text = path.read_text()
    assert was in text
    path.write_text(text.replace(was, now))
    assert "Every number" not in page.run().told


def test_an_incident_that_cannot_be_read_is_listed_as_such(home: Home, opened: Open) -> None:
    torn = home.incidents / "20261122T000000Z-torn"
    torn.mkdir()
    (torn / "incident.yaml").write_text("schema: [")
    assert "is not an incident" in opened("postmortems").table("title")["title"][0]


def test_a_text_that_is_gone_says_how_to_draft_it_again(home: Home, run_id: str, opened: Open) -> None:
    (home.incidents / run_id / "postmortem.md").unlink()
    assert f"failwhale postmortem new {run_id}" in opened("postmortems").told


def test_a_link_to_one_that_is_not_there_shows_the_newest(run_id: str, opened: Open) -> None:
    page = opened("postmortems", incident="nowhere")
    assert "There is no postmortem `nowhere`" in page.told
    assert page.app.query_params["incident"] == run_id
