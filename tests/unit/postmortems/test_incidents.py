from __future__ import annotations

import logging

import msgspec
import pytest

from postmortems import incidents, kinship
from postmortems.incidents import Alert, Attached, Book, Event, Fired, Noted, Opened, Resolved

BURN = {"alertname": "SloBurn", "severity": "page", "slo": "home-completeness", "service": "gateway"}
DOWN = {"alertname": "ComponentDown", "severity": "ticket", "component": "tweets-db-0-primary"}
COLLECTOR = {"alertname": "TelemetryMissing", "severity": "ticket", "component": "collector"}
T = 1795229000.0
NAME = "20261121T024320Z-home-completeness"
NAME_LATER = "20261121T024325Z-home-completeness"


def alert(labels: dict[str, str], at: float = T, ended: float | None = None, fingerprint: str = "") -> Alert:
    return Alert(fingerprint or labels["alertname"], at, labels, "told", ended)


def told(book: Book, *alerts: Alert, run: str = "") -> list[Event]:
    """What was new in these notifications; the book then has it."""
    new: list[Event] = []
    for one in alerts:
        for event in incidents.decide(book, one, at=one.starts_at + 1, run_at=lambda _at: run):
            book.apply(event)
            new.append(event)
    return new


def test_a_page_opens_an_incident_and_a_ticket_below_it_attaches() -> None:
    book = Book()
    assert [type(event) for event in told(book, alert(BURN), alert(DOWN, T + 5))] == [Opened, Fired, Fired]
    (found,) = book.incidents.values()
    assert (found.id, found.status) == (NAME, "open")
    assert [one.name for one in found.alerts] == ["SloBurn", "ComponentDown"]


def test_a_ticket_by_itself_opens_nothing_and_waits_for_its_symptom() -> None:
    book = Book()
    told(book, alert(DOWN))
    assert (book.incidents, [one.name for one in book.waiting]) == ({}, ["ComponentDown"])
    assert [type(event) for event in told(book, alert(BURN, T + 5))] == [Opened, Attached, Fired]
    assert book.waiting == []


def test_a_cause_that_ended_long_before_is_none() -> None:
    book = Book()
    told(book, alert(DOWN, ended=T + 5), alert(BURN, T + 6 + incidents.LOOKBACK_S))
    assert [one.name for one in next(iter(book.incidents.values())).alerts] == ["SloBurn"]


def test_what_users_cannot_feel_does_not_attach() -> None:
    book = Book()
    told(book, alert(BURN), alert(COLLECTOR, T + 2))
    assert [one.name for one in book.waiting] == ["TelemetryMissing"]


@pytest.mark.parametrize("again", [1, 2, 3])
def test_the_same_notification_again_adds_nothing(again: int) -> None:
    book = Book()
    notification = [alert(BURN), alert(DOWN, T + 5, ended=T + 9)]
    assert len(told(book, *notification)) == 4
    assert told(book, *notification * again) == []


def test_it_resolves_with_its_last_alert_and_takes_another_one_for_a_minute() -> None:
    book = Book()
    told(book, alert(BURN), alert(DOWN, T + 5), alert(BURN, ended=T + 20))
    assert book.incidents[NAME].status == "open"
    told(book, alert(DOWN, T + 5, ended=T + 30))
    assert (book.incidents[NAME].status, book.incidents[NAME].resolved_at) == ("resolved", T + 30)
    told(book, alert(BURN, T + 80))
    assert book.incidents[NAME].status == "open"
    told(book, alert(BURN, T + 80, ended=T + 90), alert(BURN, T + 300))
    assert len(book.incidents) == 2


def test_a_resolution_of_what_nobody_heard_of_is_written_down_whole() -> None:
    book = Book()
    assert [type(event) for event in told(book, alert(BURN, ended=T + 9))] == [Opened, Fired, Resolved]
    assert book.incidents[NAME].status == "resolved"


def test_a_prometheus_that_was_restarted_gives_the_alert_another_start_and_it_still_resolves() -> None:
    book = Book()
    told(book, alert(BURN), alert(BURN, T + 40))
    assert [one.ends_at for one in book.incidents[NAME].alerts] == [T + 40, None]
    told(book, alert(BURN, T + 40, ended=T + 50))
    assert book.incidents[NAME].status == "resolved"


def test_an_alert_that_was_taken_for_ended_and_is_told_again_fires_still() -> None:
    book = Book()
    told(book, alert(BURN))
    book.apply(Resolved(T + 20, *alert(BURN).key, T + 20))
    assert [type(event) for event in told(book, alert(BURN), alert(BURN))] == [Fired]
    assert (book.incidents[NAME].status, len(book.incidents[NAME].alerts)) == ("open", 1)
    told(book, alert(BURN, ended=T + 90))
    assert book.incidents[NAME].resolved_at == T + 90


def test_an_earlier_start_of_an_alert_that_fires_is_not_another_one() -> None:
    book = Book()
    told(book, alert(BURN), alert(BURN, T + 40))
    assert told(book, alert(BURN)) == []


def test_all_that_fires_in_a_drill_is_the_drills() -> None:
    book = Book()
    new = told(book, alert(DOWN), alert(COLLECTOR, T + 1), alert(BURN, T + 5), run="20261121T024300Z-kill-tweet-shard")
    assert [type(event) for event in new] == [Opened, Fired, Fired, Fired]
    (found,) = book.incidents.values()
    assert (found.id, found.run_id, len(found.alerts)) == ("20261121T024300Z-kill-tweet-shard",) * 2 + (3,)


def test_the_heartbeat_is_no_alert() -> None:
    assert told(Book(), alert({"alertname": "Watchdog", "severity": "none"})) == []


def test_people_acknowledge_and_close_and_what_comes_then_is_another_incident() -> None:
    book = Book()
    told(book, alert(BURN))
    book.apply(Noted(T + 3, NAME, "ack", "ada"))
    assert (book.incidents[NAME].status, book.incidents[NAME].acknowledged_at) == ("acknowledged", T + 3)
    book.apply(Noted(T + 4, NAME, "close", "ada", "it was a test"))
    assert book.incidents[NAME].status == "closed"
    told(book, alert({**BURN, "slo": "post-availability"}, T + 9, fingerprint="other"))
    assert len(book.incidents) == 2


def test_events_survive_the_way_to_disk() -> None:
    book, again = Book(), Book()
    for event in [*told(book, alert(DOWN), alert(BURN, T + 5, ended=T + 9)), Noted(T + 10, NAME, "note", "ada", "seen")]:
        again.apply(msgspec.json.decode(msgspec.json.encode(event), type=Event))
    assert again.alerts == book.alerts


@pytest.mark.parametrize("lost", range(6))
def test_a_line_that_is_lost_costs_itself_and_those_that_are_about_it(lost: int, caplog: pytest.LogCaptureFixture) -> None:
    written = [*told(Book(), alert(DOWN), alert(BURN, T + 5), alert(BURN, T + 5, ended=T + 9)), Noted(T + 10, NAME_LATER, "note", "ada")]
    assert [type(event) for event in written] == [Fired, Opened, Attached, Fired, Resolved, Noted]
    caplog.set_level(logging.WARNING)
    book = Book(event for number, event in enumerate(written) if number != lost)
    assert len(caplog.records) == {0: 1, 1: 4, 3: 1}.get(lost, 0)
    assert told(book, alert(BURN, T + 300), alert(BURN, T + 300, ended=T + 309))
    assert book.incidents


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ({"component": "gateway-0"}, {"component": "tweets-db-1-replica"}, True),
        ({"component": "timeline-cache-1"}, {"service": "timelines"}, True),
        ({"component": "users-db-0"}, {"component": "timeline-cache-0"}, False),
        ({"slo": "home-latency"}, {"component": "prometheus"}, False),
        ({"component": "host"}, {"component": "prometheus"}, True),
    ],
)
def test_alerts_are_related_along_the_calls(one: dict[str, str], other: dict[str, str], *, expected: bool) -> None:
    assert kinship.related(one, other) is kinship.related(other, one) is expected
