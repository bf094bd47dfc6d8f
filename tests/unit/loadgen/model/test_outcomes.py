from __future__ import annotations

import pytest

from loadgen.model import outcomes
from loadgen.model.outcomes import Answer

UNAVAILABLE = b'{"error":{"code":"unavailable","message":"m"},"request_id":"r"}'
INDETERMINATE = b'{"error":{"code":"indeterminate","message":"m"},"request_id":"r"}'


@pytest.mark.parametrize(
    ("answer", "type_", "retryable"),
    [
        (Answer(201, body=b'{"id":"7","user_id":"1","text":"t","created_at":1}'), "ok", False),
        (Answer(400), "refused", False),
        (Answer(422), "refused", False),
        (Answer(429), "refused", True),
        (Answer(503, body=UNAVAILABLE), "refused", True),
        (Answer(503, body=UNAVAILABLE.replace(b"unavailable", b"overloaded")), "refused", True),
        (Answer(503, body=INDETERMINATE), "indeterminate", True),
        (Answer(503, body=b"not json"), "indeterminate", True),
        (Answer(500), "indeterminate", True),
        (Answer(504), "indeterminate", True),
        (Answer(200), "indeterminate", True),
        (Answer(0, "refused"), "refused", True),
        (Answer(0, "timeout"), "indeterminate", True),
        (Answer(0, "lost"), "indeterminate", True),
    ],
)
def test_a_post_is_promised_surely_not_stored_or_unknown(answer, type_, retryable):
    outcome = outcomes.classify("post", answer)
    assert (outcome.type, outcome.retryable) == (type_, retryable)


def test_an_acknowledged_post_carries_its_id():
    assert outcomes.classify("post", Answer(201, body=b'{"id":"7"}')).tweet_id == "7"


def test_the_status_alone_is_the_acknowledgement():
    assert outcomes.classify("post", Answer(201, body=b"")) == outcomes.Outcome("ok", 201)


def test_a_page_tells_how_many_tweets_it_has_and_whether_some_are_missing():
    body = b'{"tweets":[{"id":"1"},{"id":"2"}],"next_cursor":null,"partial":true,"missing":{"tweets":1}}'
    outcome = outcomes.classify("home", Answer(200, body=body))
    assert (outcome.type, outcome.tweets, outcome.partial) == ("ok", 2, True)


def test_a_page_that_is_no_page_is_an_error():
    outcome = outcomes.classify("home", Answer(200, body=b"<html>"))
    assert outcome.type == "error"
    assert outcome.error.startswith("malformed page")


@pytest.mark.parametrize(
    ("answer", "reason", "retryable"),
    [
        (Answer(0, "timeout"), "timeout", True),
        (Answer(503, body=UNAVAILABLE), "unavailable", True),
        (Answer(500, body=b"x"), "status 500", True),
        (Answer(302), "status 302", False),
    ],
)
def test_a_read_that_failed_says_why_and_whether_to_try_again(answer, reason, retryable):
    outcome = outcomes.classify("user_timeline", answer)
    assert (outcome.type, outcome.error, outcome.retryable) == ("error", reason, retryable)


def test_the_pause_that_the_service_asks_for_is_kept():
    assert outcomes.classify("post", Answer(503, body=UNAVAILABLE, retry_after=2)).retry_after == 2
