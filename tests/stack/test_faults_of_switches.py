"""Limits that are deleted, a switch that is flipped, and a monitor that restarts what it cannot reach: on the lab, felt and taken back."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import pytest

from chaos import undo
from chaos.faults import config, limits
from chaos.faults.base import NotApplicableError
from chaos.faults.process import Pause
from chaos.session import Session
from reference_app.contract.topology import Lab
from reference_app.kit import deciders
from reference_app.kit.home import Home
from reference_app.stack import marks
from reference_app.stack.control import Control
from tests.stack.conftest import Api, User
from tests.stack.injecting import held, taken_back
from tests.waiting import await_true

pytestmark = [pytest.mark.lab, pytest.mark.breaks]
GATEWAY, CACHE = "gateway-0", "tweet-cache-0"


@pytest.fixture
def run(lab: Lab, home: Home) -> Iterator[Session]:  # noqa: ARG001 - the lab runs
    with held(home) as session:
        yield session


@pytest.fixture
def author(api: Api) -> User:
    """Asked for before the lease is taken, which lasts for seconds: a password is hashed slowly."""
    return api.user()


@pytest.mark.parametrize(("fail_open", "status"), [(deciders.OFF, 429), (deciders.ON, 201)])
def test_without_its_data_a_limiter_refuses_everybody_or_nobody(api: Api, author: User, run: Session, fail_open: int, status: int) -> None:
    keys = (f"limited-{fail_open}-{number}" for number in itertools.count())
    for setting in (
        limits.setting(run.home, 1000),
        config.setting(run.home, "daily_limits", deciders.ON),
        config.setting(run.home, "limits_fail_open", fail_open),
    ):
        undo.inject(run, setting)
    fault = limits.deletion(run.home, GATEWAY)
    undo.inject(run, fault)
    await_true(lambda: api.post(author, next(keys), "today").status_code == status and fault.measured(run.home)["affected_operations"] > 0)
    undone = undo.replay(run.home, by="test")
    assert [result.error for result in undone] == [""] * 4
    await_true(lambda: api.post(author, next(keys), "again").status_code == 201)


def test_where_there_are_no_limits_none_can_be_deleted(run: Session) -> None:
    with pytest.raises(NotApplicableError, match="there are no limits"):
        limits.deletion(run.home, GATEWAY)


def test_a_flipped_switch_is_felt_and_goes_back(api: Api, author: User, run: Session) -> None:
    fault = config.flip(run.home, GATEWAY, "shed_reads", deciders.ON)
    undo.inject(run, fault)
    await_true(lambda: api.call(author, "GET", "/home").status_code == 503)
    with pytest.raises(NotApplicableError, match="already"):
        config.flip(run.home, GATEWAY, "shed_reads", deciders.ON).check(run.home)
    taken_back(run, fault)
    await_true(lambda: api.call(author, "GET", "/home").status_code == 200)


@pytest.mark.verify
def test_a_monitor_that_may_restarts_a_cache_that_does_not_answer_it(run: Session, home: Home) -> None:
    pid = marks.components(home.path)[CACHE].pid
    undo.inject(run, config.setting(home, "automatic_restart", deciders.ON))
    fault = Pause(CACHE)
    undo.inject(run, fault)

    def another() -> bool:
        leader = marks.components(home.path).get(CACHE)
        return leader is not None and leader.pid != pid

    await_true(another, 15)
    assert [result.error for result in undo.replay(home, by="test")] == ["", ""]
    assert Control(home).unanswered() == {}
