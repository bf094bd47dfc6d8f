"""Faults within the app on real services: some users meet them and others do not, and what nobody can read holds up nobody."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from chaos import undo
from chaos.faults import messages, traffic
from chaos.faults.application import UserFault
from chaos.faults.base import NotApplicableError
from chaos.faults.families import AnyFault
from chaos.faults.traffic import HotKey
from chaos.session import Session
from reference_app.contract.topology import Lab
from reference_app.kit import slices
from reference_app.kit.home import Home
from tests.stack.conftest import Api, User
from tests.stack.injecting import held, taken_back
from tests.waiting import await_true

pytestmark = [pytest.mark.lab, pytest.mark.breaks]

SALT, STREAM, CACHE = "salt", "events-0", "tweet-cache-0"


@pytest.fixture
def run(lab: Lab, home: Home) -> Iterator[Session]:  # noqa: ARG001 - the lab runs
    with held(home) as session:
        yield session


@pytest.fixture
def halves(api: Api) -> tuple[User, User]:
    """Somebody whom a fault for half of all users is meant for, and somebody to compare with."""
    users: dict[bool, User] = {}
    while len(users) < 2:
        user = api.user()
        users[slices.bucket(user.id, SALT) < slices.BUCKETS / 2] = user
    return users[True], users[False]


def statuses(api: Api, user: User, count: int = 3) -> set[int]:
    return {api.call(user, "GET", "/home").status_code for _ in range(count)}


def test_errors_are_for_a_slice_of_the_users_and_those_to_compare_with_are_counted(
    run: Session, api: Api, halves: tuple[User, User]
) -> None:
    hit, compared = halves
    fault = UserFault(("timelines-0",), percent=50, salt=SALT)
    undo.inject(run, fault)
    await_true(lambda: statuses(api, hit) == {503})
    assert statuses(api, compared) == {200}
    measured = fault.measured(run.home)
    assert measured["affected_operations"] >= 3
    assert measured["compared_operations"] >= 3
    taken_back(run, fault)
    await_true(lambda: statuses(api, hit) == {200})


def test_a_sham_for_a_slice_of_the_users_harms_nobody_and_is_counted(run: Session, api: Api, halves: tuple[User, User]) -> None:
    fault = UserFault(("timelines-0",), percent=50, delay_ms=500, salt=SALT, sham=True)
    undo.inject(run, fault)
    await_true(lambda: statuses(api, halves[0]) == {200} and fault.measured(run.home)["compared_operations"] > 0)
    assert fault.measured(run.home)["affected_operations"] == 0
    taken_back(run, fault)


def test_a_message_that_nobody_can_read_becomes_a_dead_letter_and_others_go_on(run: Session, api: Api) -> None:
    follower, author = api.user(), api.user()
    api.follow(follower, author)
    api.call(follower, "GET", "/home")
    poisoned = messages.poison(run.home, STREAM, count=3, token="test")
    undo.inject(run, poisoned)
    tweet = api.acknowledged(author, "after-the-poison", "others go on")
    await_true(lambda: tweet in api.call(follower, "GET", "/home").text)
    await_true(lambda: tweet in api.call(follower, "GET", "/search?q=others").text)
    await_true(lambda: poisoned.measured(run.home) == {"poisoned": 3, "affected_operations": 3})
    taken_back(run, poisoned)
    assert poisoned.measured(run.home) == {"poisoned": 0, "affected_operations": 0}


def test_a_hot_key_is_read_so_often_and_no_more_until_it_is_taken_back(run: Session, api: Api) -> None:
    api.acknowledged(api.user(), "hot", "everybody wants this one")
    fault = traffic.hot_key(run.home, CACHE, per_s=50)
    undo.inject(run, fault)
    await_true(lambda: fault.measured(run.home).get("affected_operations", 0) >= 25, 20)
    assert set(fault.measured(run.home)) == {"affected_operations"}
    taken_back(run, fault)


def test_a_tweet_that_the_cache_does_not_hold_cannot_become_hot(run: Session) -> None:
    with pytest.raises(NotApplicableError, match="holds no tweet 1"):
        traffic.hot_key(run.home, CACHE, per_s=50, tweet=1)


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (UserFault(("timelines-0",), percent=80), "at most 50"),
        (UserFault(("timelines-0",), delay_ms=9000), "between 0"),
        (UserFault(("timelines-0", "tweets-0")), "is not one service"),
        (UserFault(("events-0",)), "is not one service"),
        (UserFault(("nobody-0",)), "no component"),
        (messages.PoisonMessage(STREAM, count=0), "between 1 and 50"),
        (messages.PoisonMessage("tweets-0"), "no event stream"),
        (HotKey(CACHE, per_s=5000), "between 1 and 1000"),
        (HotKey("timeline-cache-0"), "tweets are held by"),
    ],
)
def test_what_makes_no_sense_is_refused_before_anything_changes(run: Session, fault: AnyFault, said: str) -> None:
    with pytest.raises(NotApplicableError, match=said):
        undo.inject(run, fault)
    assert undo.pending(run.home) == []
