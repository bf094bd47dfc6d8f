from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from reference_app.instrumentation.request_faults import RequestFaults
from reference_app.kit import deciders, errors, http
from reference_app.kit.deciders import Deciders
from reference_app.kit.home import Home


class Tweets:
    """The service that faults are meant for."""

    def __init__(self, folder: Path, *, honoured: bool = True) -> None:
        home, self.slept = Home(folder), list[float]()
        deciders.write(home, "request_faults", deciders.ON if honoured else deciders.OFF, by="test")
        self._faults = RequestFaults("tweets", Deciders(home.deciders_file), sleep=self._sleep)

    def strike(self, wanted: str, trace_id: str = "a") -> str:
        """What is sent along to others."""

        async def work() -> str:
            await self._faults.strike(wanted, trace_id)
            return http.fault.get()

        return asyncio.run(work())

    async def _sleep(self, seconds: float) -> None:
        self.slept.append(seconds)


@pytest.mark.parametrize("wanted", ["tweets=error", "tweets=delay:600", "users=error"])
def test_without_the_decider_the_header_is_ignored_and_not_passed_on(tmp_path: Path, wanted: str) -> None:
    tweets = Tweets(tmp_path, honoured=False)
    assert (tweets.strike(wanted), tweets.slept) == ("", [])


@pytest.mark.parametrize("wanted", ["", "tweets", "tweets=", "tweets=kill", "tweets=delay:", "tweets=delay:99999", "tweets=error\r\nx: y"])
def test_what_is_no_fault_is_ignored_and_not_passed_on(tmp_path: Path, wanted: str) -> None:
    assert Tweets(tmp_path).strike(wanted) == ""


def test_a_fault_of_another_service_is_passed_on(tmp_path: Path) -> None:
    tweets = Tweets(tmp_path)
    assert (tweets.strike("users=error"), tweets.slept) == ("users=error", [])


def test_a_delay_waits_and_an_error_refuses(tmp_path: Path) -> None:
    tweets = Tweets(tmp_path)
    tweets.strike("tweets=delay:600")
    assert tweets.slept == [0.6]
    with pytest.raises(errors.AppError, match="asked for this fault"):
        tweets.strike("tweets=error")


def test_a_nack_meets_the_first_attempt_of_a_trace_only(tmp_path: Path) -> None:
    tweets = Tweets(tmp_path)
    for trace_id in ("a", "b"):
        with pytest.raises(errors.AppError) as refused:
            tweets.strike("tweets=nack-once", trace_id)
        assert (refused.value.code, refused.value.nack) == ("overloaded", True)
        tweets.strike("tweets=nack-once", trace_id)
