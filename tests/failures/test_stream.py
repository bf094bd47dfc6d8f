"""What happens after the acknowledgement stands still: the event stream, the fan-out."""

from __future__ import annotations

from typing import Any

import pytest

from reference_app.contract import metrics
from reference_app.contract.topology import Lab
from reference_app.stack.control import Control
from tests.failures.conftest import World, total

pytestmark = [pytest.mark.lab, pytest.mark.breaks, pytest.mark.timeout(60)]


@pytest.mark.verify
@pytest.mark.parametrize("how", ["killed", "paused"])
def test_without_the_stream_posts_are_taken_and_delivered_when_it_is_back(
    how: str, lab: Lab, control: Control, world: World, eventually: Any
) -> None:
    break_it = control.kill_and_hold if how == "killed" else control.pause
    break_it("events-0")

    posted = [world.post(f"into the outbox {n}") for n in range(5)]
    assert {shown["id"] for shown in world.home()["tweets"]} == set(world.tweets)
    eventually(lambda: total(lab, "tweets", metrics.OUTBOX_UNPUBLISHED) >= len(posted), "the outbox keeps them")
    eventually(lambda: total(lab, "tweets", metrics.OUTBOX_OLDEST) > 2, "they grow old")

    control.heal()
    eventually(lambda: world.shows(*posted), "all are delivered")
    eventually(
        lambda: total(lab, "tweets", metrics.OUTBOX_UNPUBLISHED) == total(lab, "tweets", metrics.OUTBOX_OLDEST) == 0,
        "the outbox is drained",
    )


@pytest.mark.parametrize("how", [pytest.param("killed", marks=pytest.mark.verify), "paused"])
def test_without_fan_out_posts_are_taken_pages_are_stale_and_it_catches_up(
    how: str, control: Control, world: World, eventually: Any
) -> None:
    break_it = control.kill_and_hold if how == "killed" else control.pause
    break_it("fanout-0")

    posted = [world.post(f"not delivered yet {n}") for n in range(5)]
    page = world.home()
    assert ({shown["id"] for shown in page["tweets"]}, page["partial"]) == (set(world.tweets), False)

    control.heal()
    eventually(lambda: world.shows(*posted), "it catches up")
