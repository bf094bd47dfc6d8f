"""When a cache that is silent is restarted without anybody being asked."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from reference_app.contract.profile import LAB
from reference_app.contract.topology import SMALL, components
from reference_app.kit import deciders
from reference_app.kit.deciders import Deciders
from reference_app.kit.home import Home
from reference_app.stack import errors, restarting
from reference_app.stack.questions import Answer
from reference_app.stack.restarting import DECIDER, Policy, Restarts

WELL, HUNG = Answer(True, True, 0.01, ""), Answer(False, True, 0.3, "no answer")
SICK = {"tweet-cache-0": True, "timeline-cache-0": False}


def test_a_cache_is_restarted_once_it_was_silent_for_long_enough() -> None:
    policy = Policy()
    assert policy.due(SICK, now=0) == policy.due(SICK, now=LAB.promotion_after - 0.1) == []
    assert policy.due(SICK, now=LAB.promotion_after) == ["tweet-cache-0"]


def test_one_answer_starts_the_count_anew_and_a_restart_is_not_repeated_at_once() -> None:
    policy = Policy()
    policy.due(SICK, now=0)
    policy.due({}, now=2)
    assert policy.due(SICK, now=4) == []
    assert policy.due(SICK, now=4 + LAB.promotion_after) == ["tweet-cache-0"]
    policy.restarted("tweet-cache-0", now=8)
    assert policy.due(SICK, now=8 + LAB.promotion_every - 1) == []
    assert policy.due(SICK, now=8 + LAB.promotion_every) == ["tweet-cache-0"]


@pytest.mark.parametrize("failure", [errors.ReplicationError("not today"), OSError(28, "No space left on device")])
@pytest.mark.parametrize(("decider", "restarted"), [(deciders.OFF, []), (deciders.ON, ["tweet-cache-0"])])
def test_only_caches_are_and_only_with_the_decider_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, decider: int, restarted: list[str], failure: Exception
) -> None:
    noted: list[str] = []

    def note(_home: Home, name: str) -> None:
        noted.append(name)
        raise failure

    monkeypatch.setattr(restarting, "restart", note)
    home, now = Home(tmp_path), [0.0]
    deciders.write(home, DECIDER, decider, by="test")
    restarts = Restarts(home, Deciders(home.deciders_file), monotonic=lambda: now[0])
    for _ in range(10):
        for component in components(SMALL, 21_000):
            restarts.heard(component, HUNG if component.name in ("tweet-cache-0", "users-0", "users-db-0") else WELL)
        asyncio.run(restarts.consider())
        now[0] += 1
    assert noted == restarted
