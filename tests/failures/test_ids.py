"""The clock of whoever issues ids is behind the ids that were issued."""

from __future__ import annotations

import time
from typing import Any

import pytest

from reference_app.contract import ids
from reference_app.contract.topology import Lab
from reference_app.kit.home import Home
from reference_app.stack.control import Control
from tests.failures.conftest import World

pytestmark = [pytest.mark.lab, pytest.mark.breaks, pytest.mark.verify, pytest.mark.timeout(60)]
AHEAD_MS = 5000


def test_after_the_clock_was_set_back_no_id_is_issued_until_it_has_caught_up(
    home: Home, lab: Lab, control: Control, world: World, eventually: Any
) -> None:
    """The process finds a high-water mark in its future: what it would find after the clock was stepped back."""
    before = [world.post(f"before {n}") for n in range(5)]
    (issuer,) = lab.group("tweets")
    control.kill_and_hold(issuer.name)
    mark_ms = time.time_ns() // 1_000_000 + AHEAD_MS
    (home.data / issuer.name / "snowflake.mark").write_text(str(mark_ms))
    control.start(issuer.name)
    control.wait_ready([issuer.name], AHEAD_MS / 1000)

    eventually(lambda: world.api.home(world.reader) is not None, "pages are served")
    refused = world.ask(world.author, "POST", "/tweets", json={"text": "too early"}, headers={"idempotency-key": "early"})
    assert (refused.status, refused.json()["error"]["code"]) == (503, "unavailable")
    assert time.time() * 1000 < mark_ms, "it was too slow to start: the test proved nothing"

    after = [world.api.acknowledged(world.author, "early", "too early"), *(world.post(f"after {n}") for n in range(5))]
    assert time.time() * 1000 >= mark_ms
    issued = [int(tweet) for tweet in (*world.tweets, *before, *after)]
    assert len(set(issued)) == len(issued)
    assert min(map(int, after)) > max(map(int, before)), "ids are in the order of the posts also across the restart"
    assert all(ids.unix_ms_of(int(tweet)) >= mark_ms for tweet in after)
    eventually(lambda: world.shows(*before, *after), "all of them are delivered")
    assert world.api.acknowledged(world.author, "early", "too early") == after[0]
