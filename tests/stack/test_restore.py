"""A DELETE without WHERE, replicated everywhere, is taken back with nothing acknowledged lost: neither from before it nor from after it."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from chaos.faults import data
from reference_app.contract import ids
from reference_app.kit.home import Home
from reference_app.stack import backup, binlog, bootstrap, errors, promotion, restoring, shards, standing

pytestmark = [pytest.mark.lab, pytest.mark.usefixtures("lab")]
SHARD = "tweets-db-0"
CULPRIT = "DELETE FROM failwhale.tweets"
HALF_AN_END = 15
"""Bytes of the event that ends a transaction, which has 31."""


def posted(api: Any, author: Any, count: int) -> dict[str, str]:
    """Key -> id of so many posts on the shard."""
    made: dict[str, str] = {}
    while len(made) < count:
        key = uuid.uuid4().hex
        tweet = api.acknowledged(author, key, "kept")
        if ids.shard_of(int(tweet)) == 0:
            made[key] = tweet
    return made


def status(api: Any, tweet: str) -> int:
    return int(api.call(None, "GET", f"/tweets/{tweet}").status_code)


@pytest.mark.breaks
def test_a_delete_without_where_is_taken_back_and_what_came_before_and_after_it_is_kept(
    api: Any, home: Home, sql: Any, failwhale: Callable[..., Any], eventually: Callable[..., None]
) -> None:
    author = api.user()
    before = posted(api, author, 4)
    source = backup.take(home, shards.copy_of(home.lab(), SHARD))
    between = posted(api, author, 3)
    sql.rows(home.lab().shard(SHARD)[0], CULPRIT)
    after = posted(api, author, 3)
    again, first = next(iter(before.items()))
    twin = api.acknowledged(author, again, "kept")
    assert twin != first, "the row of its key was gone"

    culprit = max(binlog.read(home, home.lab().shard(SHARD)[0]), key=lambda transaction: transaction.touched)
    assert (culprit.text, culprit.rows["delete tweets"] >= 7) == (CULPRIT, True)
    done = failwhale("shard", "restore", SHARD, "--without", str(culprit.gtid), "--json")
    assert done.returncode == 0, done.stderr
    restored = json.loads(done.stdout)
    assert (restored["left_out"], restored["backup"], restored["twins"]) == ([str(culprit.gtid)], source.id, 1)
    assert restored["seconds"] <= 120

    for tweet in (*before.values(), *between.values(), *after.values()):
        eventually(lambda tweet=tweet: status(api, tweet) == 200, f"{tweet} is shown")
    eventually(lambda: status(api, twin) == 404, "the later one of two posts with one key is hidden")
    assert api.acknowledged(author, again, "kept") == first
    page = api.call(author, "GET", f"/users/{author.id}/tweets?limit=100").json()
    assert {*before.values(), *between.values(), *after.values()} <= {tweet["id"] for tweet in page["tweets"]}
    assert all(shard.well for shard in standing.of_all(home))


@pytest.mark.breaks
def test_a_deletion_is_taken_back_when_somebody_promoted_the_replica_which_has_it_too(
    api: Any, home: Home, eventually: Callable[..., None]
) -> None:
    author = api.user()
    kept = posted(api, author, 3)
    backup.take(home, shards.copy_of(home.lab(), SHARD))
    born = home.lab().shard(SHARD)[0].name
    fault = data.deletion(home, born, "tweets")
    fault.apply(home)
    kept |= posted(api, author, 2)
    assert promotion.promote(home, SHARD, by="test", say=print).primary != born
    assert fault.measured(home)["rows_deleted"] >= 3
    fault.undo(home)
    for tweet in kept.values():
        eventually(lambda tweet=tweet: status(api, tweet) == 200, f"{tweet} is shown")
    assert home.lab().shard(SHARD)[0].name == born
    assert not fault.in_effect(home)
    assert all(shard.well for shard in standing.of_all(home))


def test_from_a_client_with_safe_updates_the_server_refuses_the_statement(api: Any, home: Home, sql: Any) -> None:
    primary, _ = home.lab().shard(SHARD)
    posted(api, api.user(), 1)
    fault = data.deletion(home, primary.name, "tweets", safe_updates=True)
    before = sql.rows(primary, "SELECT COUNT(*) AS n FROM failwhale.tweets")
    fault.apply(home)
    assert (fault.measured(home), fault.in_effect(home)) == ({"rows_deleted": 0.0}, False)
    fault.undo(home)
    assert sql.rows(primary, "SELECT COUNT(*) AS n FROM failwhale.tweets") == before
    assert all(shard.well for shard in standing.of_all(home))


def test_a_binlog_that_a_crash_cut_off_is_read_up_to_there_and_on_in_the_next_file(api: Any, home: Home, tmp_path: Path) -> None:
    """What a full disk and a kill -9 leave: the last transaction is not whole, and the next file gives its number again."""
    primary, _ = home.lab().shard(SHARD)
    posted(api, api.user(), 2)
    logged = max(bootstrap.directory(home, primary).glob("binlog.[0-9]*")).read_bytes()
    crashed = bootstrap.directory(Home(tmp_path), primary)
    crashed.mkdir(parents=True)
    (crashed / "binlog.000001").write_bytes(logged)
    whole = list(binlog.read(Home(tmp_path), primary))
    (crashed / "binlog.000002").write_bytes(logged)
    (crashed / "binlog.000001").write_bytes(logged[:-HALF_AN_END])
    again = list(binlog.read(Home(tmp_path), primary))
    assert [t.gtid for t in again] == [t.gtid for t in (*whole[:-1], *whole)]
    assert again[len(whole) - 1].before == str(whole[-2].gtid)


def test_a_restore_needs_to_be_told_what_to_leave_out(home: Home, failwhale: Callable[..., Any]) -> None:
    refused = failwhale("shard", "restore", SHARD)
    assert refused.returncode == 2
    assert "--without TRANSACTION (see `failwhale shard transactions tweets-db-0`)" in refused.stderr
    with pytest.raises(errors.StackError, match="is not in the binlog of tweets-db-0"):
        restoring.without(home, SHARD, "0-1-999999999")


def test_a_restore_without_a_backup_that_is_old_enough_is_refused_and_changes_nothing(home: Home, sql: Any) -> None:
    primary, _ = home.lab().shard(SHARD)
    first = str(sql.rows(primary, "SELECT @@gtid_current_pos AS p")[0]["p"])
    for made in backup.list_all(home, SHARD):
        (home.backups / made.id).rename(home.backups / f".{made.id}")
    try:
        with pytest.raises(errors.StackError, match=r"no backup of tweets-db-0 is older than .*failwhale shard backup"):
            restoring.without(home, SHARD, first)
    finally:
        for hidden in home.backups.glob(".tweets*"):
            hidden.rename(home.backups / hidden.name[1:])
