from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest

from loadgen.model import clients, followups
from loadgen.model.clients import IMPATIENT, PATIENT, RESTLESS
from loadgen.model.mix import Request
from loadgen.model.outcomes import Answer, Outcome, classify

POST = Request(n=9, op="post", user=1, due=10.0, key="k-1", text="t", intent=9)
PAGE = Request(n=9, op="home", user=1, due=10.0, intent=9)
AUTHOR = Request(n=9, op="user_timeline", user=1, due=10.0, target=3, intent=9)
OK = Outcome("ok", 201, tweet_id="7")
SERVED = Outcome("ok", 200)
UNKNOWN = Outcome("indeterminate", 503, retryable=True)
FAILED = Outcome("error", 503, retryable=True)


def after(request, outcome, behave=PATIENT, *, at=11.0, took_s=1.0):
    return followups.next_request(request, outcome, behave, at=at, took_s=took_s)


def test_a_failed_post_is_sent_again_with_its_key_after_a_pause():
    again = after(POST, UNKNOWN)
    assert again is not None
    assert again == replace(POST, n=0, attempt=2, reaction="retry", due=again.due)
    assert 11.125 <= again.due <= 11.25


def test_pauses_double_with_a_jitter_of_their_upper_half():
    for attempt in range(1, 5):
        longest = min(4.0, 0.25 * 2 ** (attempt - 1))
        failed = [replace(POST, key=f"k-{i}", attempt=attempt) for i in range(50)]
        pauses = [again.due - 11.0 for request in failed if (again := after(request, UNKNOWN))]
        assert all(longest / 2 <= pause <= longest + 1e-9 for pause in pauses)
        assert len(set(pauses)) == 50


def test_retry_after_is_obeyed_but_by_the_impatient():
    asked = replace(UNKNOWN, retry_after=3.0)
    assert [again.due for behave in (PATIENT, IMPATIENT) if (again := after(POST, asked, behave))] == [14.0, 11.0]


@pytest.mark.parametrize(
    ("request_", "behave", "last"), [(POST, PATIENT, 5), (POST, IMPATIENT, 4), (PAGE, IMPATIENT, 4), (PAGE, PATIENT, 1)]
)
def test_after_the_last_attempt_nothing_follows(request_, behave, last):
    failed = UNKNOWN if request_ is POST else FAILED
    assert last == 1 or after(replace(request_, attempt=last - 1), failed, behave) is not None
    assert after(replace(request_, attempt=last), failed, behave) is None


def test_impatient_clients_ask_again_at_once_for_the_same_thing():
    assert after(PAGE, FAILED, IMPATIENT) == replace(PAGE, n=0, due=11.0, attempt=2, reaction="retry")


@pytest.mark.parametrize("answer", [Answer(0, "timeout"), Answer(0, "lost"), Answer(429), Answer(503), Answer(500)])
def test_a_read_without_a_good_answer_may_be_repeated(answer):
    assert classify("home", answer).retryable


def test_what_cannot_succeed_is_not_tried_again():
    assert after(POST, Outcome("refused", 422)) is None
    assert after(PAGE, classify("home", Answer(404)), IMPATIENT) is None


def test_a_page_that_was_slow_is_refreshed_by_as_many_as_do_so():
    pages = [replace(PAGE, n=n, intent=n) for n in range(1000)]
    seen = [after(page, SERVED, RESTLESS, took_s=2.1) for page in pages]
    assert Counter(again.reaction for again in seen if again) == {"refresh": pytest.approx(1000 * RESTLESS.refresh_share, rel=0.05)}
    assert all(11.5 <= again.due <= 12.0 for again in seen if again)
    assert not any(after(page, SERVED, RESTLESS, took_s=1.9) for page in pages)


def test_a_page_that_failed_is_loaded_again_by_all():
    pages = [replace(PAGE, n=n, intent=n) for n in range(1000)]
    seen = [after(page, FAILED, RESTLESS, took_s=took_s) for page in pages for took_s in (0.1, 2.1)]
    assert Counter(again.reaction for again in seen if again) == {"retry": 2000}
    assert all(11.5 <= again.due <= 12.0 for again in seen if again)


@pytest.mark.parametrize(("outcome", "took_s"), [(FAILED, 0.1), (SERVED, 2.1)])
def test_some_leave_the_page_of_an_author_by_the_back_button(outcome, took_s):
    pages = [replace(AUTHOR, n=n, intent=n) for n in range(1000)]
    left = [again for page in pages if (again := after(page, outcome, RESTLESS, took_s=took_s)) and again.reaction == "back"]
    assert len(left) == pytest.approx(1000 * RESTLESS.back_share, rel=0.1)
    assert {(again.op, again.target, again.user, again.attempt) for again in left} == {("home", 0, 1, 2)}


def test_the_same_answers_bring_about_the_same_reactions():
    assert after(PAGE, FAILED, RESTLESS) == after(PAGE, FAILED, RESTLESS)


def test_a_chosen_post_is_replayed_with_its_key_once_it_is_acknowledged():
    replay = after(replace(POST, attempt=3, reaction="retry", replay_after=2.0), OK)
    assert replay == replace(POST, n=0, due=13.0, attempt=1, replay=True)


def test_nothing_follows_other_acknowledged_posts_replays_and_reads():
    assert after(POST, OK) is None
    assert after(replace(POST, replay=True), UNKNOWN) is None
    assert after(PAGE, FAILED) is None
    assert all(after(PAGE, SERVED, behave, took_s=4.0) is None for behave in (PATIENT, IMPATIENT))


def test_every_kind_of_clients_gives_up_some_time():
    assert all(behave.timeout_s > 0 and max(behave.read_attempts, behave.post_attempts) <= 5 for behave in clients.CLIENTS.values())
