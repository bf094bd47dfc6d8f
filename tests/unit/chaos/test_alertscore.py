from __future__ import annotations

from chaos import alertscore
from chaos.catalogue import ExpectedAlert
from reference_app.query.prometheus import AlertSpan

DOWN = ExpectedAlert("ComponentDown", "ticket", component="tweets-db-0-primary")
BURN = ExpectedAlert("SloBurn", "page", slo="home-completeness")


def down(component: str = "tweets-db-0-primary", fired_at: float = 103.5, resolved_at: float | None = 145.0) -> AlertSpan:
    return AlertSpan("ComponentDown", {"component": component, "severity": "ticket"}, fired_at, resolved_at)


def burn(severity: str = "page") -> AlertSpan:
    return AlertSpan("SloBurn", {"slo": "home-completeness", "severity": severity}, 110.0, None)


def test_an_expected_alert_that_fires_is_neither_missed_nor_false() -> None:
    score = alertscore.score([down()], expected=[DOWN], injected_at=100.0)
    assert (score.missed, score.false_positives) == ((), ())
    assert (score.fired[0].after_s, score.fired[0].resolved_s) == (3.5, 45.0)
    assert score.first_detection_s == 3.5


def test_an_expected_alert_that_stays_silent_is_missed() -> None:
    assert alertscore.score([down()], expected=[DOWN, BURN], injected_at=100.0).missed == (BURN,)


def test_an_alert_about_another_component_is_false_and_does_not_count_as_found() -> None:
    score = alertscore.score([down("users-db-0")], expected=[DOWN], injected_at=100.0)
    assert score.missed == (DOWN,)
    assert score.false_positives == score.fired
    assert score.first_detection_s is None


def test_an_alert_that_fired_before_the_injection_is_false() -> None:
    score = alertscore.score([down(fired_at=90.0)], expected=[DOWN], injected_at=100.0)
    assert score.missed == (DOWN,)
    assert len(score.false_positives) == 1


def test_a_ticket_is_not_a_page() -> None:
    score = alertscore.score([burn("ticket")], expected=[BURN], injected_at=100.0)
    assert score.missed == (BURN,)


def test_a_tolerated_alert_is_neither_demanded_nor_false() -> None:
    assert alertscore.score([], expected=[], tolerated=[BURN], injected_at=100.0).missed == ()
    assert alertscore.score([burn()], expected=[], tolerated=[BURN], injected_at=100.0).false_positives == ()


def test_without_an_injection_nothing_is_expected_and_whatever_fires_is_false() -> None:
    score = alertscore.score([down()], expected=[DOWN], tolerated=[DOWN], injected_at=None)
    assert (score.expected, score.missed) == ((), ())
    assert len(score.false_positives) == 1
    assert score.fired[0].after_s is None
