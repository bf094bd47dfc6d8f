"""What the client does when it is refused."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from reference_app.contract import api, keyvalue
from reference_app.kit import errors
from reference_app.kit.keyvalue import KeyValue


class Refusing:
    """A group that refuses so many calls; `pauses` are those of its client."""

    def __init__(self, code: str, times: int) -> None:
        self.code, self.left, self.calls = code, times, 0
        self.pauses: list[float] = []
        self.client = KeyValue(self, sleep=self._sleep)  # type: ignore[arg-type]

    async def json(self, *_: Any, **__: Any) -> Any:
        self.calls += 1
        self.left -= 1
        if self.left >= 0:
            raise errors.AppError(self.code, "no", retry_after=1)
        return api.Values({})

    async def _sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)


def put(group: Refusing) -> None:
    asyncio.run(group.client.put(keyvalue.DISMISSED, {"1:2": "1"}, limit=1))


@pytest.mark.parametrize("code", ["quota_exceeded", "overloaded"])
def test_a_read_that_is_over_capacity_is_not_repeated(code: str) -> None:
    group = Refusing(code, 1)
    with pytest.raises(errors.Rejected) as refused:
        asyncio.run(group.client.values(keyvalue.COUNTS, ["1:likes"], limit=1))
    assert (refused.value.outcome, group.calls) == (code, 1)


def test_a_write_that_is_over_capacity_is_tried_three_times_from_10_ms_on() -> None:
    group = Refusing("quota_exceeded", 2)
    put(group)
    assert group.calls == 3
    first, second = group.pauses
    assert 0.005 <= first <= 0.01 <= second <= 0.02


def test_a_write_of_which_the_tier_does_not_know_whether_it_was_done_is_not_said_to_have_failed() -> None:
    with pytest.raises(errors.OutcomeUnknown):
        put(Refusing("indeterminate", 1))


def test_after_three_times_it_fails() -> None:
    group = Refusing("quota_exceeded", 9)
    with pytest.raises(errors.Rejected):
        put(group)
    assert group.calls == 3


def test_what_fails_for_another_reason_is_not_repeated() -> None:
    group = Refusing("unavailable", 1)
    with pytest.raises(errors.Rejected):
        put(group)
    assert group.calls == 1
