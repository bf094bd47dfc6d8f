"""The key-value tier on the whole lab: counters that are exact in the end, suggestions, and a tenant that floods."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from reference_app.contract.keyvalue import COUNTS
from reference_app.contract.topology import Component, Lab
from reference_app.kit import deciders
from reference_app.kit.home import Home
from reference_app.stack.control import Control
from tests.stack.tweeting import counts, delete, like, new, retweet, show

pytestmark = pytest.mark.lab
Eventually = Callable[[Callable[[], bool], str], None]


@pytest.fixture
def database(lab: Lab) -> Component:
    return lab.component("keyvalue-db-0")


class Deltas:
    """Changes of one tweet's counts that the tier does not have yet, on every shard."""

    def __init__(self, lab: Lab, sql: Any, tweet: str) -> None:
        self._shards = [component for component in lab.group("tweets-db") if component.role == "primary"]
        self._sql, self._tweet = sql, tweet

    def waiting(self) -> list[tuple[Component, dict[str, Any]]]:
        query = "SELECT id, counted, delta, created_ms FROM failwhale.engagement_deltas WHERE tweet_id = %s"
        return [(shard, row) for shard in self._shards for row in self._sql.rows(shard, query, self._tweet)]

    def write(self, shard: Component, row: dict[str, Any]) -> None:
        values = (row["id"], self._tweet, row["counted"], row["delta"], row["created_ms"])
        insert = "INSERT INTO failwhale.engagement_deltas (id, tweet_id, counted, delta, created_ms) VALUES (%s, %s, %s, %s, %s)"
        self._sql.rows(shard, insert, *values)


@pytest.mark.breaks
@pytest.mark.parametrize("lost", ["keyvalue-0", pytest.param("keyvalue-db-0", marks=pytest.mark.verify)])
def test_without_the_tier_tweets_are_served_and_liked_and_every_change_is_counted_once_when_it_is_back(
    api: Any, home: Home, lab: Lab, sql: Any, eventually: Eventually, lost: str
) -> None:
    author, fans = api.user(), [api.user() for _ in range(3)]
    tweet = new(api, author)
    deltas = Deltas(lab, sql, tweet)
    like(api, fans[0], tweet)
    eventually(lambda: counts(api, tweet) == (1, 0), "the like is counted")
    control = Control(home)
    control.kill_and_hold(lost)
    assert counts(api, tweet) == (None, None)
    assert show(api, tweet).json()["text"] == "hello"
    assert api.call(author, "GET", "/suggestions").json() == {"users": [], "partial": True}
    for fan in fans:
        assert like(api, fan, tweet).status_code == 204
        undone = retweet(api, fan, tweet).json()["id"]
    assert like(api, fans[0], tweet, "DELETE").status_code == 204
    assert delete(api, fans[2], undone).status_code == 204
    missed = deltas.waiting()
    assert sorted((row["counted"], row["delta"]) for _, row in missed) == [
        ("likes", -1), ("likes", 1), ("likes", 1), ("retweets", -1), ("retweets", 1), ("retweets", 1), ("retweets", 1),
    ]  # fmt: skip
    control.heal(20)
    eventually(lambda: counts(api, tweet) == (2, 2), "every change is counted")
    eventually(lambda: deltas.waiting() == [], "the changes are forgotten")
    for shard, row in missed:
        deltas.write(shard, row)
    eventually(lambda: deltas.waiting() == [], "they were sent again, as after a death before they were forgotten")
    assert counts(api, tweet) == (2, 2)


def test_a_counter_that_is_wrong_is_put_right_from_the_rows(api: Any, database: Component, sql: Any, eventually: Eventually) -> None:
    tweet = new(api, api.user())
    like(api, api.user(), tweet)
    eventually(lambda: counts(api, tweet) == (1, 0), "the like is counted")
    sql.rows(database, f"UPDATE failwhale.{COUNTS.table} SET v = 41 WHERE k = '{tweet}:likes'")  # noqa: S608
    sql.rows(database, f"INSERT INTO failwhale.{COUNTS.table} VALUES ('{tweet}:retweets', 7)")  # noqa: S608
    assert counts(api, tweet) == (41, 7)
    eventually(lambda: counts(api, tweet) == (1, 0), "the counters are put right")


def test_whom_to_follow_leaves_out_who_is_followed_blocked_or_dismissed(api: Any, database: Component, sql: Any) -> None:
    user, *others = [api.user() for _ in range(5)]
    suggested = ",".join(other.id for other in others)
    sql.rows(database, "INSERT INTO failwhale.suggestions_who_to_follow VALUES (%s, %s)", user.id, suggested)
    followed, blocked, dismissed, left = others
    api.follow(user, followed)
    assert api.call(user, "PUT", f"/blocking/{blocked.id}").status_code == 204
    assert [found["id"] for found in api.call(user, "GET", "/suggestions").json()["users"]] == [dismissed.id, left.id]
    assert api.call(user, "DELETE", f"/suggestions/{dismissed.id}").status_code == 204
    document = api.call(user, "GET", "/suggestions").json()
    assert document["partial"] is False
    assert [found["id"] for found in document["users"]] == [left.id], "what was dismissed is gone at once"
    assert document["users"][0]["handle"].startswith("t")
    assert api.call(None, "GET", "/suggestions").status_code == 401


def test_seeded_users_get_suggestions_and_new_ones_none(api: Any, database: Component, sql: Any) -> None:
    (counted,) = sql.rows(database, "SELECT COUNT(*) AS users FROM failwhale.suggestions_who_to_follow WHERE k <> ''")
    assert counted["users"] > 0
    assert api.call(api.user(), "GET", "/suggestions").json() == {"users": [], "partial": False}


@pytest.mark.breaks
def test_a_quota_that_is_used_up_shows_as_no_suggestions_and_as_the_fail_whale(api: Any, home: Home, eventually: Eventually) -> None:
    user = api.user()
    for access in ("reads", "writes"):
        deciders.write(home, f"quota_suggestions_{access}", deciders.OFF, by="test")
    eventually(lambda: api.call(user, "GET", "/suggestions").json()["partial"], "suggestions are left out")
    refused = api.call(user, "DELETE", "/suggestions/1")
    assert (refused.status_code, refused.json()["error"]["code"], refused.headers["retry-after"]) == (503, "overloaded", "1")
