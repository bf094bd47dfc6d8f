"""Daily limits: counted per user and day, and what they are when nobody knows them."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from pathlib import Path

import pytest

from reference_app.instrumentation.recorder import Recorder
from reference_app.kit import deciders, errors, limits
from reference_app.kit.deciders import Deciders
from reference_app.kit.home import Home
from reference_app.services.gateway.daily_limits import DAY_S, DailyLimits

NOON = 20_000.5 * DAY_S


class Limited:
    def __init__(self, folder: Path, known: Mapping[str, int], **switches: int) -> None:
        home, self.now = Home(folder), NOON
        limits.write(home.limits_file, dict(known))
        for name, value in ({"daily_limits": deciders.ON} | switches).items():
            deciders.write(home, name, value, by="test")
        self.made = DailyLimits(home.limits_file, Deciders(home.deciders_file), Recorder(), clock=lambda: self.now)

    def allowed(self, user: int, *, of: int) -> int:
        allowed = 0
        for _ in range(of):
            with contextlib.suppress(errors.AppError):
                self.made.take_post(user)
                allowed += 1
        return allowed


def test_each_user_may_post_so_often_and_again_tomorrow(tmp_path: Path) -> None:
    limited = Limited(tmp_path, {limits.POSTS: 3})
    assert [limited.allowed(user, of=5) for user in (1, 2)] == [3, 3]
    limited.now += DAY_S
    assert limited.allowed(1, of=5) == 3


def test_who_is_refused_is_told_to_come_back_tomorrow(tmp_path: Path) -> None:
    with pytest.raises(errors.AppError) as refused:
        Limited(tmp_path, {limits.POSTS: 0}).made.take_post(1)
    assert (refused.value.code, refused.value.status, refused.value.retry_after) == ("quota_exceeded", 429, DAY_S / 2)


@pytest.mark.parametrize(("fail_open", "allowed"), [(deciders.ON, 5), (deciders.OFF, 0)])
def test_a_limit_that_nobody_knows_is_none_or_zero(tmp_path: Path, fail_open: int, allowed: int) -> None:
    assert Limited(tmp_path, {}, limits_fail_open=fail_open).allowed(1, of=5) == allowed


def test_without_the_decider_nobody_is_counted(tmp_path: Path) -> None:
    assert Limited(tmp_path, {limits.POSTS: 0}, daily_limits=deciders.OFF).allowed(1, of=5) == 5


def test_a_file_that_makes_no_sense_says_nothing(tmp_path: Path) -> None:
    (tmp_path / "limits.json").write_text("{")
    assert limits.read(tmp_path / "limits.json") == {}
