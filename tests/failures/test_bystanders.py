"""Parts that requests do not need are lost: search, the tools that watch, the files by which an operator steers."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from reference_app.contract.topology import Lab
from reference_app.kit import deciders
from reference_app.kit.home import Home
from reference_app.stack.control import Control
from tests.failures.conftest import World

pytestmark = [pytest.mark.lab, pytest.mark.breaks, pytest.mark.timeout(60)]

Damage = Callable[[str, bytes | None], None]


def everything_but_search_works(world: World) -> None:
    """What the other parts serve, each at the first attempt."""
    newcomer, tweet = world.api.user(), world.post()
    world.api.follow(newcomer, world.author)
    assert not world.home()["partial"]
    assert world.ask(newcomer, "PUT", f"/tweets/{tweet}/like").status == 204
    world.eventually(lambda: world.ask(None, "GET", f"/tweets/{tweet}").json()["likes"] == 1, "the like is counted")
    assert world.ask(world.author, "DELETE", f"/tweets/{tweet}").status == 204
    assert world.ask(None, "GET", f"/users/{world.author.id}/tweets").status == 200


def test_without_search_everything_else_is_served(control: Control, world: World, eventually: Any) -> None:
    control.kill_and_hold("search-0")
    for path in ("/search?q=hello", "/trends"):
        refused = world.ask(None, "GET", path)
        assert (refused.status, refused.json()["error"]["code"]) == (503, "unavailable")
    everything_but_search_works(world)
    control.heal()
    eventually(lambda: world.api.call(None, "GET", "/search?q=hello").status_code == 200, "search answers again")


@pytest.mark.verify
def test_without_the_tools_that_watch_users_notice_nothing(control: Control, world: World) -> None:
    tools = [component.name for component in control.lab.components if component.tool]
    assert set(tools) == {"prometheus", "alertmanager", "prober", "collector", "receiver"}
    for name in tools:
        control.kill_and_hold(name)
    everything_but_search_works(world)
    control.heal()
    assert control.unanswered() == {}


@pytest.fixture
def damage(home: Home, lab: Lab) -> Iterator[Damage]:  # noqa: ARG001 - what heals the lab comes after this
    """Replaces a file that all processes poll, None by nothing, and waits until they have seen it; afterwards it is as it was."""
    damaged: dict[Path, bytes | None] = {}

    def put(path: Path, content: bytes | None) -> None:
        if content is None:
            path.unlink(missing_ok=True)
        else:
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(content)

    def replace(name: str, content: bytes | None) -> None:
        path = {"deciders": home.deciders_file, "rings": home.rings_file, "roles": home.roles_file}[name]
        damaged[path] = path.read_bytes() if path.exists() else None
        put(path, content)
        time.sleep(2 * deciders.POLL_SECONDS)

    yield replace
    for path, content in damaged.items():
        put(path, content)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("deciders", None),
        ("deciders", b'{"tweet_cache": 10'),
        pytest.param("deciders", b'{"tweet_cache": "on"}', marks=pytest.mark.verify),
        ("rings", b""),
        ("roles", b""),
    ],
)
def test_a_file_that_all_processes_poll_is_no_outage_when_it_is_gone_or_broken(
    name: str, content: bytes | None, damage: Damage, world: World
) -> None:
    damage(name, content)
    everything_but_search_works(world)
