from __future__ import annotations

from dataclasses import replace

import msgspec
import pytest

from loadgen.model import mix
from reference_app.contract import api
from reference_app.contract.topology import STANDARD
from reference_app.kit.weighted_length import weighted_length

USERS = 300


@pytest.fixture(scope="module")
def requests(plan):
    return mix.schedule(plan, users=USERS)


def test_one_seed_gives_the_same_schedule_bit_for_bit(plan):
    first, again = (msgspec.json.encode(mix.schedule(plan, users=USERS)) for _ in range(2))
    assert first == again


def test_another_seed_gives_another_schedule(plan):
    assert mix.schedule(plan, users=USERS) != mix.schedule(replace(plan, seed=2), users=USERS)


def test_another_run_of_a_seed_sends_the_same_with_keys_of_its_own(plan):
    first, second = mix.schedule(plan, users=USERS), mix.schedule(replace(plan, run_id="other"), users=USERS)
    assert not {r.key for r in first if r.key} & {r.key for r in second if r.key}
    assert [replace(r, key="") for r in first] == [replace(r, key="") for r in second]


def test_a_lab_in_which_requests_cost_more_is_given_fewer_of_them(plan, requests):
    fewer = mix.schedule(replace(plan, topology=STANDARD.name), users=USERS)
    assert len(fewer) / len(requests) == pytest.approx(STANDARD.load, abs=0.03)


def test_requests_are_numbered_in_the_order_of_their_due_times(requests):
    assert [r.n for r in requests] == list(range(1, len(requests) + 1))
    assert [r.due for r in requests] == sorted(r.due for r in requests)


def test_there_are_enough_posts_to_audit_and_one_read_in_twenty_is_a_user_timeline(requests):
    posts = [r for r in requests if r.op == "post"]
    reads = [r for r in requests if r.op != "post"]
    assert len(posts) > 1200
    assert sum(r.op == "user_timeline" for r in reads) / len(reads) == pytest.approx(0.05, abs=0.01)


def test_one_post_in_twenty_is_to_be_replayed_some_seconds_later(requests):
    pauses = [r.replay_after for r in requests if r.op == "post"]
    replayed = [pause for pause in pauses if pause is not None]
    assert len(replayed) / len(pauses) == pytest.approx(0.05, abs=0.025)
    assert all(1 <= pause <= 5 for pause in replayed)


def test_every_post_has_a_text_and_a_key_of_its_own_that_the_service_takes(requests):
    posts = [r for r in requests if r.op == "post"]
    assert len({r.key for r in posts}) == len(posts)
    assert all(0 < len(r.key) <= api.KEY_MAX and 0 < weighted_length(r.text) <= api.TEXT_MAX for r in posts)


def test_users_and_targets_are_seeded_ones(requests):
    assert all(1 <= r.user <= USERS for r in requests)
    assert all((1 <= r.target <= USERS) == (r.op == "user_timeline") for r in requests)
