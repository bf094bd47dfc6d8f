"""Read-your-own-write: a post's token makes reads that a replica serves wait for the post, or say that they may lack it."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from reference_app.contract import api as contract
from reference_app.contract import ids
from reference_app.contract.topology import Lab
from reference_app.kit.home import Home
from reference_app.stack.control import Control

pytestmark = pytest.mark.lab
SHARD = 0


@pytest.fixture
def lagging(lab: Lab, home: Home, sql: Any) -> Iterator[Callable[[], None]]:  # noqa: ARG001 - the lab runs
    """The replica of shard 0 receives and acknowledges, and applies nothing until the returned function is called."""
    _, replica = home.lab().shard(f"tweets-db-{SHARD}")
    assert replica is not None
    sql.rows(replica, "STOP SLAVE SQL_THREAD")
    yield lambda: sql.rows(replica, "START SLAVE SQL_THREAD")
    sql.rows(replica, "START SLAVE SQL_THREAD")


def posted_on(api: Any, author: Any, shard: int, token: str = "") -> Any:
    """The answer to a post that this shard took."""
    while True:
        headers = {contract.IDEMPOTENCY_KEY: uuid.uuid4().hex, contract.CONSISTENCY: token}
        answer = api.call(author, "POST", contract.TWEETS, json={"text": "mine"}, headers={k: v for k, v in headers.items() if v})
        assert answer.status_code == 201, answer.text
        if ids.shard_of(int(answer.json()["id"])) == shard:
            return answer


@pytest.mark.breaks
def test_a_reader_with_a_token_is_never_shown_a_page_without_their_post_that_calls_itself_complete(
    api: Any, home: Home, lagging: Callable[[], None], eventually: Callable[..., None]
) -> None:
    author = api.user()
    answer = posted_on(api, author, SHARD)
    own, tweet, path = {contract.CONSISTENCY: answer.headers[contract.CONSISTENCY]}, answer.json()["id"], f"/users/{author.id}/tweets"
    primary, _ = home.lab().shard(f"tweets-db-{SHARD}")
    Control(home).kill_and_hold(primary.name)

    without = api.call(author, "GET", path).json()
    assert tweet not in [shown["id"] for shown in without["tweets"]]
    assert (without["partial"], "stale" in without) == (False, False), "a reader without a token is told what the replica has"
    stale = api.call(author, "GET", path, headers=own).json()
    assert (stale["partial"], stale["stale"]) == (True, True)
    assert api.call(author, "GET", f"/tweets/{tweet}", headers=own).status_code == 503

    lagging()

    def shows_it() -> bool:
        page = api.call(author, "GET", path, headers=own).json()
        return not page["partial"] and "stale" not in page and page["tweets"][0]["id"] == tweet

    eventually(shows_it, "the replica shows the post once it has applied it")
    assert api.call(author, "GET", f"/tweets/{tweet}", headers=own).json()["id"] == tweet


def test_a_token_that_a_post_brings_comes_back_with_the_new_post_in_it(api: Any) -> None:
    author = api.user()
    first = posted_on(api, author, 0).headers[contract.CONSISTENCY]
    both = posted_on(api, author, 1, first).headers[contract.CONSISTENCY]
    assert [part.partition(".")[0] for part in both.split(",")] == ["0", "1"]
    assert both.startswith(first)


def test_what_is_no_token_is_refused(api: Any) -> None:
    author = api.user()
    for path in (f"/users/{author.id}/tweets", f"/tweets/{posted_on(api, author, 0).json()['id']}"):
        refused = api.call(author, "GET", path, headers={contract.CONSISTENCY: "0.0-1-1'; DROP TABLE tweets"})
        assert (refused.status_code, refused.json()["error"]["code"]) == (422, "invalid")
