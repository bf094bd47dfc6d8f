"""Work that has expired when it is begun."""

from __future__ import annotations

import asyncio

import pytest

from reference_app.kit import deadline, errors
from reference_app.kit.deadline import ExpiredWork


def asked(work: ExpiredWork, *, left: float) -> bool:
    """Whether it was refused."""

    async def ask() -> None:
        deadline.start(left)
        work.check()

    try:
        asyncio.run(ask())
    except errors.AppError as error:
        return error.code == "deadline_exceeded"
    return False


def expired_work(counted: list[str], *, enabled: bool = True) -> tuple[ExpiredWork, list[float]]:
    now = [1000.0]
    return ExpiredWork(enabled=lambda: enabled, count=counted.append, monotonic=lambda: now[0]), now


def test_expired_work_is_refused_up_to_a_fifth_of_what_came() -> None:
    counted: list[str] = []
    work, _ = expired_work(counted)
    assert not any(asked(work, left=10) for _ in range(10))
    assert [asked(work, left=-1) for _ in range(4)] == [True, True, False, False]
    assert counted == ["refused", "refused", "begun", "begun"]


def test_what_came_long_ago_gives_no_right_to_refuse() -> None:
    work, now = expired_work([])
    for _ in range(10):
        asked(work, left=10)
    now[0] += 11
    assert not asked(work, left=-1)


def test_in_the_dark_it_only_counts() -> None:
    counted: list[str] = []
    work, _ = expired_work(counted, enabled=False)
    for _ in range(10):
        asked(work, left=10)
    assert not asked(work, left=-1)
    assert counted == ["begun"]


def test_a_request_without_a_deadline_never_expires() -> None:
    work, _ = expired_work([])
    work.check()
    assert deadline.left() == float("inf")


def test_whoever_begins_expired_work_still_calls_nobody() -> None:
    async def late() -> None:
        deadline.start(-1)
        deadline.limit(1)

    with pytest.raises(errors.AppError):
        asyncio.run(late())
