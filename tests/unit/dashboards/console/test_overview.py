"""The Overview as a user finds it."""

from __future__ import annotations

import pytest

from dashboards.console.draw import objectives
from dashboards.console.lab import signals
from reference_app.kit.home import Home
from tests.unit.dashboards.console.canned import Canned, labels
from tests.unit.dashboards.console.conftest import Open

READ = "home-read-availability"


@pytest.fixture
def burning(prometheus: Canned) -> Canned:
    """One objective burns at 50 % bad events, another one is kept; the others have no traffic."""
    for name in (signals.SHORT, signals.LONG):
        prometheus.series.setdefault(signals.BURNS, {}).update(
            {labels(name, slo=READ): lambda _: 0.5, labels(name, slo="home-completeness"): lambda _: 0.0}
        )
    prometheus.series[signals.SPENT] = {labels(slo=READ, what="bad"): lambda _: 30.0, labels(slo=READ, what="total"): lambda _: 6000.0}
    return prometheus


def test_a_home_without_a_lab_says_how_to_start_one_and_where_drills_are(empty_home: Home, opened: Open) -> None:
    page = opened()
    assert f"There is no lab in `{empty_home.path}` yet" in page.told
    assert "failwhale up" in page.told
    assert "None yet: start a drill" in page.text("happening")
    assert "Nobody knows: Prometheus does not answer" in page.text("happening")


@pytest.mark.usefixtures("burning")
def test_objectives_say_in_words_whether_they_are_kept_and_how_fast_the_budget_burns(opened: Open) -> None:
    text = opened().text("objectives")
    assert "✕ pages 50 % 500.0x 500 % 30 of 6,000 bad" in text
    assert "● kept 100 % 0.0x" in text
    assert "○ no traffic" in text


@pytest.mark.parametrize(
    ("short", "long", "state"),
    [(None, None, "no traffic"), (0.9, 0.2, "kept"), (20, 2, "over budget"), (2, 20, "over budget"), (20, 15, "pages")],
)
def test_a_page_needs_both_windows(short: float | None, long: float | None, state: str) -> None:
    assert objectives.state(short, long) == state


@pytest.mark.usefixtures("home")
def test_the_latest_runs_are_linked_with_their_verdicts(run_id: str, opened: Open) -> None:
    page = opened()
    assert f'href="/drills?run={run_id}"' in page.pictures["happening"]
    assert "UTC · deviated" in page.text("happening")


@pytest.mark.usefixtures("prometheus")
def test_the_map_and_the_alerts_stand_side_by_side(opened: Open) -> None:
    page = opened()
    assert 'data-component="tweets-db-0-primary"' in page.pictures["topology"]
    assert "None is active" in page.text("happening")
    assert "None is open" in page.text("happening")


@pytest.mark.usefixtures("lab")
def test_a_lab_that_is_down_is_said_to_be_down(opened: Open) -> None:
    page = opened()
    assert "The lab is down" in page.told
    assert "topology" not in page.pictures
