"""A group of services behind its protections; its clients are replaced by scripts of answers."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

import pytest

from reference_app.contract import api
from reference_app.kit import deciders, errors, http
from reference_app.kit.admission import NackAdmission
from reference_app.kit.balancer import Balancer, Instance
from reference_app.kit.breaker import Breaker
from reference_app.kit.deciders import Deciders
from reference_app.kit.home import Home
from reference_app.kit.retry_budget import RetryBudget
from reference_app.kit.retrying import Retries

OK = http.Response(200, b'{"ids":[1]}')
NACK = http.Response(503, b'{"error":{"code":"overloaded","message":"full","retry_after":1,"nack":true}}')
OVERLOADED = http.Response(503, b'{"error":{"code":"overloaded","message":"full","retry_after":1}}')
OVER_QUOTA = http.Response(429, b'{"error":{"code":"quota_exceeded","message":"used up","retry_after":1}}')
UNAVAILABLE = http.Response(503, b'{"error":{"code":"unavailable","message":"no database"}}')
BUG = http.Response(500, b'{"error":{"code":"internal","message":"bug"}}')
Outcome = http.Response | errors.CallError


class Scripted:
    """Answers in turn, the last one for ever."""

    def __init__(self, peer: str, outcomes: Sequence[Outcome]) -> None:
        self.peer, self._outcomes, self.calls = peer, list(outcomes), 0
        self.limits: list[float] = []

    async def call(self, _method: str, _path: str, *, route: str, body: bytes = b"", limit: float) -> http.Response:  # noqa: ARG002
        self.calls += 1
        self.limits.append(limit)
        outcome = self._outcomes.pop(0) if len(self._outcomes) > 1 else self._outcomes[0]
        if isinstance(outcome, errors.CallError):
            raise outcome
        return outcome


class Called:
    def __init__(self, folder: Path, *scripts: Sequence[Outcome]) -> None:
        self.clients = [Scripted(f"tweets-{n}", outcomes) for n, outcomes in enumerate(scripts)]
        self.breakers, self.drops = [Breaker() for _ in scripts], 0
        instances = [Instance(client, breaker) for client, breaker in zip(self.clients, self.breakers, strict=True)]
        self.group = http.Group(
            Balancer(instances),  # type: ignore[arg-type]
            retries=Retries(Deciders(Home(folder).deciders_file), RetryBudget(), sleep=_at_once),
            admission=NackAdmission(),
            dropped=self._drop,
        )

    def _drop(self) -> None:
        self.drops += 1

    def call(self, method: str = "GET", route: str = "/x") -> http.Response:
        return asyncio.run(self.group.call(method, "/x", route=route, limit=1))

    @property
    def calls(self) -> int:
        return sum(client.calls for client in self.clients)


async def _at_once(_seconds: float) -> None:
    return


def lost() -> errors.CallError:
    return errors.OutcomeUnknown("tweets-0", "lost")


def test_a_nacked_call_is_made_elsewhere_also_when_it_writes(tmp_path: Path) -> None:
    called = Called(tmp_path, [NACK], [NACK, OK])
    assert called.call("POST").status in (200, 503)
    assert called.clients[0].calls >= 1
    assert called.clients[1].calls >= 1, "never twice the same while there is another"


@pytest.mark.parametrize(
    ("answer", "calls"), [(NACK, 3), (OVERLOADED, 1), (UNAVAILABLE, 1), (BUG, 1), (errors.NeverSent("tweets-0", "refused"), 3), (lost(), 3)]
)
def test_a_read_is_repeated_where_the_failure_is_nearest_and_not_where_the_answer_is_no(
    tmp_path: Path, answer: Outcome, calls: int
) -> None:
    called = Called(tmp_path, [answer])
    try:
        assert called.call() is answer
    except errors.CallError as error:
        assert error is answer  # noqa: PT017
    assert called.calls == calls


@pytest.mark.parametrize(
    ("method", "route", "calls"), [("POST", api.Internal.MULTIGET, 3), ("POST", api.Internal.CREATE, 1), ("PUT", "/x", 1)]
)
def test_a_lost_call_is_repeated_only_when_it_reads(tmp_path: Path, method: str, route: str, calls: int) -> None:
    called = Called(tmp_path, [lost()])
    with pytest.raises(errors.OutcomeUnknown):
        called.call(method, route)
    assert called.calls == calls


def test_an_attempt_of_a_read_may_be_given_less_than_the_time_of_its_call_and_a_write_has_all_of_it(tmp_path: Path) -> None:
    deciders.write(Home(tmp_path), "attempt_timeout", 300, by="test")
    called = Called(tmp_path, [lost(), lost(), OK])
    called.call()
    called.call("POST", api.Internal.CREATE)
    assert called.clients[0].limits == [0.3, 0.3, 0.3, 1]


def test_an_instance_that_is_gone_is_avoided_after_five_failures(tmp_path: Path) -> None:
    called = Called(tmp_path, [errors.NeverSent("tweets-0", "refused")], [OK])
    assert {called.call().status for _ in range(60)} == {200}
    assert called.breakers[0].is_open
    assert called.clients[0].calls == 5


def test_an_answer_that_names_what_is_wrong_speaks_for_its_instance_and_a_bug_does_not(tmp_path: Path) -> None:
    for answer, opened in ((UNAVAILABLE, False), (NACK, False), (OVER_QUOTA, False), (BUG, True)):
        called = Called(tmp_path, [answer])
        for _ in range(5):
            called.call()
        assert called.breakers[0].is_open == opened


@pytest.mark.parametrize("answer", [OVER_QUOTA, OVERLOADED])
def test_what_one_tenant_is_refused_holds_back_no_calls_for_others(tmp_path: Path, answer: http.Response) -> None:
    called = Called(tmp_path, [answer])
    for _ in range(100):
        called.call()
    assert (called.calls, called.drops) == (100, 0)


def test_a_group_that_refuses_everything_is_spared_most_of_its_calls(tmp_path: Path) -> None:
    called = Called(tmp_path, [NACK])
    called.group._admission._accepted, called.group._admission._updated_at = 0.0, 0.0
    refused = 0
    for _ in range(200):
        try:
            called.call()
        except errors.AppError as error:
            refused += error.code == "overloaded" and not error.nack
    assert refused == called.drops
    assert refused > 100


@pytest.mark.parametrize(
    ("answer", "code", "retry_after"),
    [(NACK, "overloaded", 1), (UNAVAILABLE, "unavailable", None), (http.Response(502, b"<html>"), "internal", None)],
)
def test_an_error_answer_is_raised_as_what_it_states_and_a_nack_is_not_passed_on(
    tmp_path: Path, answer: http.Response, code: str, retry_after: float | None
) -> None:
    with pytest.raises(errors.AppError) as raised:
        asyncio.run(Called(tmp_path, [answer]).group.json("GET", "/x", route="/x", limit=1))
    assert (raised.value.code, raised.value.retry_after, raised.value.nack) == (code, retry_after, False), "we did some work"
