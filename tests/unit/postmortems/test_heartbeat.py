"""The dead man's switch: a page when the Watchdog stays away, none for a receiver that starts, sleeps or hears it."""

from __future__ import annotations

from pathlib import Path

import pytest

from postmortems import heartbeat, incidentlog
from postmortems.receiver import Receiver
from reference_app.kit.home import Home
from tests.unit.postmortems.test_receiver import webhook

BEAT = webhook(alertname="Watchdog", severity="none")
OVER = webhook("resolved", end="2026-11-21T02:44:00Z", alertname="Watchdog", severity="none")


class Listening:
    """A receiver that listens every second, on a clock that only runs here."""

    def __init__(self, home: Home) -> None:
        self.home, self.now = home, 1000.0
        self.receiver = Receiver(home, lambda: self.now, lambda: self.now)

    def seconds(self, number: int, *, told: bytes = b"", silent: str = "prometheus") -> None:
        """So many pass; what is told, is told in each."""
        for _ in range(number):
            self.now += 1
            if told:
                self.receiver.take(told)
            self.receiver.listen(lambda: silent)

    @property
    def pages(self) -> list[tuple[str, str, float, float | None]]:
        """Name, component, beginning and end."""
        found = (alert for one in incidentlog.read(self.home).incidents.values() for alert in one.alerts)
        return [(alert.name, alert.labels["component"], alert.starts_at, alert.ends_at) for alert in found if alert.severity == "page"]


@pytest.fixture
def listening(tmp_path: Path) -> Listening:
    return Listening(Home(tmp_path))


def test_a_watchdog_that_stays_away_is_one_page_until_it_is_back(listening: Listening) -> None:
    listening.seconds(100, told=BEAT)
    listening.seconds(10)
    assert listening.pages == []
    listening.seconds(20)
    assert listening.pages == [(heartbeat.MISSING, "prometheus", 1111.0, None)]
    listening.seconds(1, told=BEAT)
    assert listening.pages == [(heartbeat.MISSING, "prometheus", 1111.0, 1131.0)]
    listening.seconds(30, silent="alertmanager")
    assert listening.pages[1:] == [(heartbeat.MISSING, "alertmanager", 1142.0, None)]
    (span,) = heartbeat.spans(listening.home, 1100, 1140)
    assert (span.name, span.labels, span.fired_at, span.resolved_at) == (
        heartbeat.MISSING, {"severity": "page", "component": "prometheus", "kind": "prometheus"}, 1111.0, 1131.0,
    )  # fmt: skip


def test_who_is_paged_is_told_where_the_runbook_is_also_when_it_is_over(listening: Listening) -> None:
    listening.seconds(61)
    listening.seconds(1, told=BEAT)
    ((alert,),) = (one.alerts for one in incidentlog.read(listening.home).incidents.values())
    assert (alert.runbook_url, alert.ends_at is None) == ("docs/runbooks/Watchdog.md", False)


def test_that_it_has_ended_is_no_heartbeat(listening: Listening) -> None:
    listening.seconds(1, told=BEAT)
    listening.seconds(15, told=OVER)
    assert [name for name, *_ in listening.pages] == [heartbeat.MISSING]


def test_a_lab_has_a_minute_to_come_up_and_is_missed_then(listening: Listening) -> None:
    listening.seconds(60)
    assert listening.pages == []
    listening.seconds(1)
    assert [name for name, *_ in listening.pages] == [heartbeat.MISSING]


def test_a_receiver_that_was_paused_heard_nothing_itself(listening: Listening) -> None:
    listening.seconds(100, told=BEAT)
    listening.now += 300
    listening.seconds(11)
    assert listening.pages == []
    listening.seconds(1)
    assert [name for name, *_ in listening.pages] == [heartbeat.MISSING]


def test_its_page_is_not_taken_for_over_because_alertmanager_does_not_know_it(listening: Listening) -> None:
    listening.seconds(61)
    for _ in range(3):
        listening.receiver.look_again(frozenset)
    assert [end for *_, end in listening.pages] == [None]


def test_a_receiver_that_starts_again_goes_on_with_the_page_of_the_one_before(listening: Listening) -> None:
    listening.seconds(61)
    again = Listening(listening.home)
    again.now = 2000.0
    again.receiver = Receiver(again.home, lambda: again.now, lambda: again.now)
    again.seconds(61)
    assert len(again.pages) == 1
    again.seconds(1, told=BEAT)
    assert [end for *_, end in again.pages] == [2062.0]
