"""Users, or who follows whom, cannot be asked: their services and databases are lost."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from reference_app.stack.control import Control
from tests.failures.conftest import World
from tests.stack.conftest import PASSWORD, User

pytestmark = [pytest.mark.lab, pytest.mark.breaks, pytest.mark.timeout(60)]


@pytest.mark.parametrize("lost", [pytest.param("users-0", marks=pytest.mark.verify), "users-db-0"])
def test_without_users_a_page_is_served_without_names(lost: str, control: Control, world: World, eventually: Any) -> None:
    stranger, reader = world.api.user(), world.api.user()
    world.api.follow(reader, stranger)
    tweet = world.api.acknowledged(stranger, uuid.uuid4().hex, "who wrote this?")
    control.kill_and_hold(lost)

    page = world.ask(reader, "GET", "/home").json()
    assert [(shown["id"], shown["handle"]) for shown in page["tweets"]] == [(tweet, "")]
    assert (page["partial"], page["missing"]) == (True, {"authors": 1})
    assert [shown["id"] for shown in world.ask(None, "GET", f"/users/{stranger.id}/tweets").json()["tweets"]] == [tweet]
    world.post("who is logged in stays logged in")
    for path in ("/users", "/tokens"):
        answer = world.ask(None, "POST", path, json={"handle": f"t{uuid.uuid4().hex[:12]}", "password": PASSWORD})
        assert (answer.status, answer.json()["error"]["code"]) == (503, "unavailable")

    control.heal()
    eventually(lambda: _names(world, reader) == 1, "the name is there again")
    eventually(lambda: _registers(world), "newcomers can register again")


def _names(world: World, reader: User) -> int:
    page = world.api.home(reader) or {"tweets": []}
    return sum(bool(shown["handle"]) for shown in page["tweets"])


def _registers(world: World) -> bool:
    account = {"handle": f"t{uuid.uuid4().hex[:12]}", "password": PASSWORD}
    return bool(world.api.call(None, "POST", "/users", json=account).status_code == 201)


@pytest.mark.verify
@pytest.mark.parametrize("lost", ["graph-0", "graph-db-0"])
def test_without_the_graph_posts_are_taken_pages_are_served_and_deliveries_wait(
    lost: str, control: Control, world: World, eventually: Any
) -> None:
    control.kill_and_hold(lost)

    posted = [world.post(f"nobody knows who follows me {n}") for n in range(3)]
    assert [shown["id"] for shown in world.home()["tweets"]] == sorted(world.tweets, key=int, reverse=True)
    answer = world.ask(world.author, "PUT", f"/following/{world.reader.id}")
    assert (answer.status, answer.json()["error"]["code"]) == (503, "unavailable")

    control.heal()
    eventually(lambda: world.shows(*posted), "what waited is delivered, and is not lost")
    eventually(lambda: world.api.call(world.author, "PUT", f"/following/{world.reader.id}").status_code == 204, "one can follow again")
