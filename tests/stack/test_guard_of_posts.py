"""The guard against lost posts looks into the databases themselves, and is sure only of what all of a shard's servers said."""

from __future__ import annotations

import asyncio

import pytest

from chaos.audit import databases
from reference_app.contract import ids
from reference_app.contract.topology import Component, Lab
from reference_app.kit.home import Home
from reference_app.stack.control import Control
from tests.stack.conftest import Api, Sql

pytestmark = [pytest.mark.lab, pytest.mark.breaks]


def test_a_post_is_missed_when_no_server_has_it_and_not_while_one_may(lab: Lab, home: Home, api: Api, sql: Sql) -> None:
    author = api.user()
    kept, lost = (int(api.acknowledged(author, key, "acknowledged")) for key in ("kept", "lost"))
    primary, shard = primary_of(lab, lost), ids.shard_of(lost)

    def absent() -> frozenset[int] | None:
        return asyncio.run(databases.absent(lab, shard, [lost, *([kept] if ids.shard_of(kept) == shard else [])]))

    assert absent() == frozenset()
    sql.rows(primary, "DELETE FROM failwhale.tweets WHERE id = %s", lost)
    sql.write_event(primary, f"guard-{lost}")
    assert sql.copied(lab.component(primary.name.replace("primary", "replica")), f"guard-{lost}")
    assert absent() == {lost}
    Control(home).pause(primary.name)
    assert absent() is None


def primary_of(lab: Lab, tweet_id: int) -> Component:
    return next(c for c in lab.group("tweets-db") if c.index == ids.shard_of(tweet_id) and c.role == "primary")
