"""Does the audit see a real loss? A disk is wiped while its replica is dead, once with the promise kept and once with it switched off."""

from __future__ import annotations

import asyncio
import secrets
import time
from pathlib import Path

import asyncmy
import httpx
import pytest

from chaos.audit import run
from loadgen import history
from reference_app.contract import api, ids, storage, tokens
from reference_app.contract.topology import Lab
from reference_app.kit import files
from reference_app.kit.home import Home
from reference_app.stack import bootstrap
from reference_app.stack.control import Control

pytestmark = [pytest.mark.lab, pytest.mark.breaks, pytest.mark.verify]
DATABASE, PRIMARY, REPLICA = "tweets-db-0", "tweets-db-0-primary", "tweets-db-0-replica"
AUTHORS = range(1, 11)
POSTS, READY_S = 24, 20


def switch_semi_sync_off(lab: Lab) -> None:
    async def execute() -> None:
        port = lab.component(PRIMARY).port
        async with asyncmy.connect(host="127.0.0.1", port=port, user=storage.DATABASE_USER) as client, client.cursor() as cursor:
            await cursor.execute("SET GLOBAL rpl_semi_sync_master_enabled = 0")

    asyncio.run(execute())


def record_posts(lab: Lab, path: Path) -> list[int]:
    """Post as seeded users and write the history that the load generator would have written; returns the acknowledged ids."""
    writer, acknowledged = files.LineWriter(path), []
    with httpx.Client(base_url=lab.entry_url, timeout=10) as client:
        for n in range(POSTS):
            author, key = AUTHORS[n % len(AUTHORS)], secrets.token_hex(8)
            token = tokens.sign(author, key=lab.signing_key, expires_at=int(time.time()) + 600)
            writer.write(history.Invoke(n, "post", author, 0, time.time(), key=key, text="hi"))
            answer = client.post(api.TWEETS, json={"text": "hi"}, headers={"authorization": f"Bearer {token}", api.IDEMPOTENCY_KEY: key})
            tweet_id = answer.json()["id"] if answer.status_code == 201 else ""
            result = "ok" if tweet_id else "indeterminate"
            writer.write(history.Completion(n, result, answer.status_code, time.time(), 0, 0, 0, tweet_id=tweet_id))
            acknowledged += [int(tweet_id)] if tweet_id else []
    writer.close()
    return acknowledged


def wipe_and_provision(home: Home, control: Control) -> None:
    """Both disks of the pair are replaced by empty ones, which get schema and identity: an operator's honest mistake."""
    control.kill_and_hold(PRIMARY)
    for name in (PRIMARY, REPLICA):
        bootstrap.provision(home, control.lab.component(name))
        control.start(name)
    control.wait_ready([PRIMARY, REPLICA], READY_S)
    bootstrap.establish(home, control.lab, timeout_s=READY_S, rebuilt=[DATABASE])


@pytest.mark.parametrize("semi_sync", [False, True])
def test_a_wiped_shard_loses_acknowledged_tweets_exactly_when_they_did_not_wait_for_the_replica(
    lab: Lab, home: Home, tmp_path: Path, *, semi_sync: bool
) -> None:
    control, path = Control(home), tmp_path / history.FILE
    if not semi_sync:
        switch_semi_sync_off(lab)
    control.kill_and_hold(REPLICA)
    acknowledged = record_posts(lab, path)
    on_the_wiped_shard = [tweet_id for tweet_id in acknowledged if ids.shard_of(tweet_id) == 0]
    wipe_and_provision(home, control)

    found = run.audit(lab, path, settle_s=5)

    assert found.complete, found.reasons
    assert found.acknowledged == len(acknowledged) > 0
    assert found.lost == len(on_the_wiped_shard)
    assert (found.lost > 0) == (not semi_sync)
