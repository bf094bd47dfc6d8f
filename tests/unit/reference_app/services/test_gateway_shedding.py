"""What the gateway refuses first."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, cast

import pytest
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from reference_app.contract import api, metrics
from reference_app.instrumentation.recorder import Recorder
from reference_app.kit import deciders, errors
from reference_app.kit.deciders import Deciders
from reference_app.kit.home import Home
from reference_app.services.gateway import criticality
from reference_app.services.gateway.shedding import Shedding

POST, HOME, LIKE, TRENDS = ("POST", api.TWEETS), ("GET", api.HOME), ("PUT", api.LIKE), ("GET", api.TRENDS)


def shedding(folder: Path, **values: int) -> tuple[Shedding, Recorder]:
    home, recorder = Home(folder), Recorder()
    for name, value in values.items():
        deciders.write(home, name, value, by="test")
    return Shedding(Deciders(home.deciders_file), recorder), recorder


def admitted(made: Shedding, operation: tuple[str, str]) -> bool:
    try:
        made.check(*operation)
    except errors.AppError as error:
        assert (error.code, error.retry_after) == ("overloaded", 1)  # noqa: PT017
        return False
    return True


async def under_way(made: Shedding, count: int, then: Callable[[], Any]) -> Any:
    """What `then` says while so many posts are under way."""
    let_go = asyncio.Event()

    async def slow(_request: Request) -> Response:
        await let_go.wait()
        return Response()

    (route,) = made.guarded([Route(api.TWEETS, slow, methods=["POST"])])
    endpoint = cast("Callable[[Request], Awaitable[Response]]", route.endpoint)
    posts = [asyncio.ensure_future(endpoint(cast("Request", None))) for _ in range(count)]
    await asyncio.sleep(0)
    try:
        return then()
    finally:
        let_go.set()
        await asyncio.gather(*posts)


@pytest.mark.parametrize(
    ("busy", "served"),
    [(0, {POST, HOME, LIKE, TRENDS}), (50, {POST, HOME, LIKE}), (75, {POST, HOME}), (90, {POST}), (100, set())],
)
def test_what_matters_least_is_refused_first(tmp_path: Path, busy: int, served: set[tuple[str, str]]) -> None:
    made, _ = shedding(tmp_path, gateway_concurrency=100)
    found = asyncio.run(under_way(made, busy, lambda: {o for o in (POST, HOME, LIKE, TRENDS) if admitted(made, o)}))
    assert found == served


def test_without_classes_everything_may_fill_all_of_it(tmp_path: Path) -> None:
    made, _ = shedding(tmp_path, gateway_concurrency=100, shed_by_class=0)
    assert asyncio.run(under_way(made, 99, lambda: admitted(made, TRENDS)))
    assert not asyncio.run(under_way(made, 100, lambda: admitted(made, POST)))


def test_reads_can_be_refused_on_purpose_while_posts_and_likes_go_on(tmp_path: Path) -> None:
    made, _ = shedding(tmp_path, shed_reads=deciders.ON)
    assert [admitted(made, operation) for operation in (POST, LIKE, HOME, TRENDS)] == [True, True, False, False]


def test_half_of_the_reads_can_be_refused(tmp_path: Path) -> None:
    made, _ = shedding(tmp_path, shed_reads=5000)
    assert 400 < sum(admitted(made, HOME) for _ in range(1000)) < 600


def test_what_is_refused_is_counted_by_class(tmp_path: Path) -> None:
    made, recorder = shedding(tmp_path, gateway_concurrency=0)
    for operation in (POST, HOME, TRENDS, TRENDS):
        admitted(made, operation)
    lines = [line for line in recorder.exposition().decode().splitlines() if line.startswith(f"{metrics.SHED.name}{{")]
    assert {line.split('"')[1]: float(line.split()[-1]) for line in lines} == {"promise": 1, "reading": 1, "discovery": 2}


def test_a_guarded_route_that_never_refused_says_0(tmp_path: Path) -> None:
    made, recorder = shedding(tmp_path)
    asyncio.run(under_way(made, 0, bool))
    assert f'{metrics.SHED.name}{{criticality="promise",http_route="{api.TWEETS}"}} 0.0' in recorder.exposition().decode()


def test_every_route_of_the_public_api_has_the_class_that_its_name_says() -> None:
    by_class = {name: of.name for name in ("TWEETS", "RETWEET", "USERS", "TOKENS") if (of := criticality.of("POST", getattr(api, name)))}
    assert set(by_class.values()) == {"promise"}
    assert criticality.of("DELETE", api.TWEET) is criticality.PROMISE
    assert criticality.of("GET", api.TWEET) is criticality.READING
    assert [of.share for of in criticality.CLASSES] == sorted((of.share for of in criticality.CLASSES), reverse=True)
