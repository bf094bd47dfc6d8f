"""A game day leaves a lab alone on which somebody else is at work."""

from __future__ import annotations

import fcntl
import os
import time
from pathlib import Path

import pytest

from failwhale import gameday, lifecycle
from failwhale.dayrecord import Planned
from reference_app.kit import lease
from reference_app.kit.home import Home


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "home")


@pytest.fixture
def day(tmp_path: Path, home: Home) -> Planned:
    path = tmp_path / "one.yaml"
    path.write_text("title: One\nentries: [kill-tweet-shard]\n")
    return gameday.plan(home, path, seed=3, own_lab=True)


def test_two_days_in_one_home_at_once_are_refused(home: Home, day: Planned) -> None:
    home.gamedays.mkdir(parents=True)
    descriptor = os.open(home.gamedays, os.O_RDONLY)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    with pytest.raises(gameday.GameDayError, match="another game day is under way"):
        gameday.perform(home, day, lambda _: None)
    os.close(descriptor)
    assert not list(home.gamedays.iterdir())


@pytest.mark.parametrize("ran_before", [True, False])
def test_a_lab_that_another_run_holds_is_not_touched(
    *, ran_before: bool, home: Home, day: Planned, monkeypatch: pytest.MonkeyPatch
) -> None:
    did: list[str] = []
    monkeypatch.setattr(lifecycle, "runs", lambda _: ran_before)
    for name in ("up", "down", "reset"):
        monkeypatch.setattr(lifecycle, name, lambda *_, name=name, **__: did.append(name))
    lease.take(home.chaos, "drill-1", now=time.time() + 60)
    report = gameday.perform(home, day, lambda _: None)
    assert ("run drill-1 holds this lab" in str(report.stopped), did) == (True, [])
