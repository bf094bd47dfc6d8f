from __future__ import annotations

from dataclasses import replace

from loadgen.model import followups
from loadgen.model.mix import Request
from loadgen.model.outcomes import Outcome

POST = Request(n=9, op="post", user=1, due=10.0, key="k-1", text="t")
OK = Outcome("ok", 201, tweet_id="7")
UNKNOWN = Outcome("indeterminate", 503, retryable=True)


def test_a_failed_post_is_sent_again_with_its_key_after_a_pause():
    again = followups.next_request(POST, UNKNOWN, at=11.0)
    assert again == replace(POST, n=0, attempt=2, due=11.0 + followups.backoff("k-1", 1))


def test_pauses_double_with_a_jitter_of_their_upper_half():
    for attempt in range(1, 8):
        longest = min(4.0, 0.25 * 2 ** (attempt - 1))
        pauses = [followups.backoff(f"k-{i}", attempt) for i in range(50)]
        assert all(longest / 2 <= pause <= longest for pause in pauses)
        assert len(set(pauses)) == 50


def test_retry_after_is_honoured():
    again = followups.next_request(POST, replace(UNKNOWN, retry_after=3.0), at=11.0)
    assert again is not None
    assert again.due == 14.0


def test_the_fifth_attempt_is_the_last():
    assert followups.next_request(replace(POST, attempt=4), UNKNOWN, at=11.0) is not None
    assert followups.next_request(replace(POST, attempt=5), UNKNOWN, at=11.0) is None


def test_what_cannot_succeed_is_not_tried_again():
    assert followups.next_request(POST, Outcome("refused", 422), at=11.0) is None


def test_a_chosen_post_is_replayed_with_its_key_once_it_is_acknowledged():
    replay = followups.next_request(replace(POST, attempt=3, replay_after=2.0), OK, at=11.0)
    assert replay == replace(POST, n=0, due=13.0, attempt=1, replay=True)


def test_nothing_follows_other_acknowledged_posts_replays_and_reads():
    assert followups.next_request(POST, OK, at=11.0) is None
    assert followups.next_request(replace(POST, replay=True), UNKNOWN, at=11.0) is None
    assert followups.next_request(Request(1, "home", 1, 0.0), Outcome("error", 503), at=1.0) is None
