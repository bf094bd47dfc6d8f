from __future__ import annotations

import pytest

from reference_app.contract.api import FollowersPage
from reference_app.kit import errors
from reference_app.services.graph import domain


def test_a_user_may_follow_another() -> None:
    domain.check_pair(1, 2, verb="follow")


def test_nobody_may_follow_themselves() -> None:
    with pytest.raises(errors.AppError, match="nobody can follow themselves") as caught:
        domain.check_pair(1, 1, verb="follow")
    assert caught.value.code == "invalid"


def test_a_full_page_names_its_last_follower_as_the_cursor() -> None:
    assert domain.followers_page([3, 5], limit=2, count=9) == FollowersPage([3, 5], 5, 9)


@pytest.mark.parametrize("ids", [[], [3]])
def test_a_page_that_is_not_full_is_the_last(ids: list[int]) -> None:
    assert domain.followers_page(ids, limit=2, count=None) == FollowersPage(ids, None, None)


def test_users_are_asked_for_on_the_shard_that_holds_them() -> None:
    assert domain.by_shard([4, 1, 2, 7], 2) == {0: [4, 2], 1: [1, 7]}
