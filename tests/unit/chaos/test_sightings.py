"""What the witness saw, with one violation planted in each history."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

import httpx
import pytest

from chaos.audit import sightings, witness
from chaos.audit.model import Audit
from chaos.audit.sightings import Sighting
from reference_app.contract.topology import Lab

AUDIT = Audit(True, 1, 1, 0, 0, 0, 0, 0, 1, 0)
AUTHOR, READER = 7, 8


def post(tweet_id: int, at: float, *, outcome: str = "ok") -> Sighting:
    return Sighting("post", at - 0.1, at, outcome, AUTHOR, tweet_id)


def delete(tweet_id: int, at: float, *, outcome: str = "ok") -> Sighting:
    return Sighting("delete", at - 0.1, at, outcome, AUTHOR, tweet_id)


def home(at: float, *ids: int, partial: bool = False, more: bool = False) -> Sighting:
    return Sighting("home", at, at + 0.1, "ok", READER, ids=ids, partial=partial, more=more)


def test_a_page_that_has_what_it_must_is_not_stale() -> None:
    seen = [post(1, 10), post(2, 11), home(12), home(16.5, 2, 1)]
    assert sightings.stale(seen).count == 0


def test_a_complete_page_without_a_tweet_acknowledged_five_seconds_before_is_stale() -> None:
    found = sightings.stale([post(1, 10), post(2, 11), home(15.5, 2)])
    assert (found.count, found.examples[0].tweet_ids) == (1, (1,))


def test_a_page_that_says_that_it_is_partial_is_not_stale() -> None:
    assert sightings.stale([post(1, 10), home(20, partial=True)]).count == 0


def test_a_tweet_below_the_page_is_not_missed_but_one_within_its_range_is() -> None:
    seen = [post(1, 10), post(2, 11), post(3, 12)]
    assert sightings.stale([*seen, home(30, 3, 2, more=True)]).count == 0
    assert sightings.stale([*seen, home(30, 3, 1, more=True)]).count == 1


def test_own_tweets_must_show_sooner_on_the_own_timeline() -> None:
    own = Sighting("user_timeline", 12.5, 12.6, "ok", AUTHOR)
    assert sightings.stale([post(1, 10), own]).count == 1
    assert sightings.stale([post(1, 10), replace(own, began=11.5)]).count == 0


def test_what_was_asked_to_be_deleted_is_not_missed_whatever_the_answer() -> None:
    assert sightings.stale([post(1, 10), delete(1, 20, outcome="unknown"), home(30)]).count == 0


def test_a_post_of_unknown_outcome_is_not_missed() -> None:
    assert sightings.stale([post(1, 10, outcome="unknown"), home(30)]).count == 0


def test_a_deleted_tweet_that_shows_within_five_seconds_is_not_resurrected() -> None:
    assert sightings.resurrected([post(1, 10), delete(1, 20), home(24, 1)]).count == 0


def test_a_deleted_tweet_that_shows_later_is_resurrected_once_however_often_it_shows() -> None:
    found = sightings.resurrected([post(1, 10), delete(1, 20), home(25.5, 1), home(26.5, 1)])
    assert (found.count, found.examples[0].detail) == (1, "visible 5.5 s after it was deleted")


def test_a_deletion_of_unknown_outcome_may_leave_the_tweet() -> None:
    assert sightings.resurrected([post(1, 10), delete(1, 20, outcome="unknown"), home(30, 1)]).count == 0


def test_a_tweet_twice_on_a_page_is_a_doubled_delivery() -> None:
    found = sightings.doubled_deliveries([home(10, 3, 2, 1), home(11, 3, 2, 3)])
    assert (found.count, found.examples[0].tweet_ids) == (1, (3,))


def test_a_resurrected_tweet_breaks_the_audit_and_a_stale_page_does_not() -> None:
    seen = [post(1, 10), delete(1, 20), home(30, 1)]
    assert sightings.judged(AUDIT, seen).violations == {"resurrected": 1}
    late = sightings.judged(AUDIT, [post(1, 10), home(30)])
    assert (late.stale, late.resurrected, late.violations) == (1, 0, {})


def test_without_an_answered_read_nothing_is_said() -> None:
    unanswered = Sighting("home", 30, 32, "unknown", READER)
    assert sightings.judged(AUDIT, [post(1, 10), unanswered]) == AUDIT


@pytest.mark.parametrize("op", ["post", "home", "user_timeline"])
@pytest.mark.parametrize("body", [b"", b'{"id": "12', b"[]", b'{"id": "x"}'])
def test_an_answer_that_is_no_answer_promises_nothing_and_does_not_end_the_witness(
    op: Literal["post", "home", "user_timeline"], body: bytes
) -> None:
    answer = httpx.Response(201 if op == "post" else 200, content=body)
    assert witness._sighting(op, 1.0, 2.0, 7, answer, tweet_id=0) == Sighting(op, 1.0, 2.0, "unknown", 7)


def test_accounts_that_cannot_be_made_are_asked_for_again() -> None:
    transport = httpx.MockTransport(lambda _: httpx.Response(201, content=b"{"))
    with httpx.Client(base_url="http://nowhere", transport=transport) as client:
        assert witness._accounts(client, Lab("", "small", 1, (), "key", "")) is None
