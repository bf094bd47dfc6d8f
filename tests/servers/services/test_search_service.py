"""Search over a real event stream that is not there, comes, dies, hangs, and comes back empty."""

from __future__ import annotations

import asyncio
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from reference_app.contract import api, ids, metrics, storage
from reference_app.contract.topology import Lab
from reference_app.kit.stream import Stream
from tests.waiting import await_true, freeze


@dataclass
class World:
    """The service, and the stream it reads."""

    lab: Lab
    client: httpx.Client
    directory: Path
    nats: subprocess.Popen[bytes] | None = None
    sequence: int = 0
    posted: dict[str, int] = field(default_factory=dict)

    def start_stream(self) -> None:
        argv = ["nats-server", "-a", "127.0.0.1", "-p", str(self.lab.component("events-0").port), "-js", "-sd", str(self.directory)]
        self.nats = subprocess.Popen(argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
        await_true(lambda: asyncio.run(self._made()))

    def stop_stream(self, *, wipe: bool = False) -> None:
        if self.nats is not None:
            self.nats.kill()
            self.nats.wait(10)
        if wipe:
            shutil.rmtree(self.directory)

    async def _made(self) -> bool:
        stream = Stream(self.lab.component("events-0"))
        try:
            await stream.open()
        except Exception:  # noqa: BLE001 - not yet
            return False
        finally:
            await stream.close()
        return True

    def post(self, text: str, *, user_id: int = 1) -> int:
        self.sequence += 1
        now_ms = int(time.time() * 1000)
        tweet_id = ids.compose(unix_ms=now_ms, shard=0, process=0, sequence=self.sequence)
        self._publish(storage.SUBJECT_POSTED, storage.TweetEvent(tweet_id, user_id, now_ms, text))
        return tweet_id

    def delete(self, tweet_id: int) -> None:
        self._publish(storage.SUBJECT_DELETED, storage.TweetEvent(tweet_id, 1, int(time.time() * 1000)))

    def _publish(self, subject: str, event: storage.TweetEvent) -> None:
        async def publish() -> None:
            stream = Stream(self.lab.component("events-0"))
            await stream.open()
            await stream.publish(subject, msgspec.json.encode(event), message_id=f"{subject}-{event.tweet_id}")
            await stream.close()

        asyncio.run(publish())

    def search(self, query: str, **more: Any) -> api.TweetIds:
        answer = self.client.get(api.Internal.SEARCH, params={"q": query, **more})
        assert answer.status_code == 200, answer.text
        return msgspec.json.decode(answer.content, type=api.TweetIds)

    def becomes(self, query: str, wanted: list[int]) -> None:
        """What is found, complete, within the limit."""
        await_true(lambda: self.search(query) == api.TweetIds(wanted, complete=True))


@pytest.fixture(scope="module")
def world(serve: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    if shutil.which("nats-server") is None:
        pytest.skip("nats-server is not installed: run scripts/setup.sh")
    serving = serve("search")
    world = World(serving.lab, serving.client, tmp_path_factory.mktemp("stream") / "data")
    assert world.search("goal") == api.TweetIds([], complete=False)
    world.start_stream()
    yield world
    world.stop_stream()


def test_a_tweet_is_found_as_soon_as_it_is_on_the_stream_and_a_deleted_one_no_more(world: World) -> None:
    first, second = world.post("Fresh one"), world.post("fresh two")
    world.becomes("fresh", [second, first])
    assert world.search("fresh", limit=1).ids == [second]
    assert world.search("fresh", before=second).ids == [first]
    world.delete(second)
    world.becomes("fresh", [first])


def test_trends_count_users(world: World) -> None:
    for user_id in (1, 2, 2):
        world.post("what a #Goal", user_id=user_id)
    wanted = [api.Trend("#goal", 2)]
    await_true(lambda: msgspec.json.decode(world.client.get(api.Internal.TRENDS).content, type=api.Trends).trends == wanted)
    assert msgspec.json.decode(world.client.get(f"{api.Internal.TRENDS}?limit=1").content, type=api.Trends).window_s == 60


def test_what_is_no_query_is_invalid(world: World, code: Any) -> None:
    for query in ("", "q=", "q=%F0%9F%90%8B", f"q={'x' * 101}", "q=x&limit=0", "q=x&before=-1"):
        assert code(world.client.get(f"{api.Internal.SEARCH}?{query}")) == (422, "invalid")


def test_a_stream_that_is_killed_and_comes_back_is_read_on_from_where_it_was(world: World) -> None:
    before = world.post("killed before")
    world.becomes("killed", [before])
    world.stop_stream()
    await_true(lambda: not world.search("killed").complete)
    assert world.search("killed").ids == [before]
    world.start_stream()
    after = world.post("killed after")
    world.becomes("killed", [after, before])


def test_a_stream_that_comes_back_empty_is_read_from_its_start(world: World) -> None:
    before = world.post("wiped before")
    world.becomes("wiped", [before])
    world.stop_stream(wipe=True)
    world.start_stream()
    after = world.post("wiped after")
    world.becomes("wiped", [after, before])


def test_a_stream_that_hangs_makes_answers_incomplete_and_no_slower(world: World) -> None:
    assert world.nats is not None
    world.becomes("nothing", [])
    freeze(world.nats)
    try:
        await_true(lambda: not world.search("nothing").complete)
        started = time.monotonic()
        world.search("nothing")
        assert time.monotonic() - started < 0.5
    finally:
        world.nats.send_signal(signal.SIGCONT)
    tweet_id = world.post("hung and back")
    world.becomes("hung", [tweet_id])


def test_the_number_of_tweets_held_is_exported(world: World) -> None:
    assert f"{metrics.INDEXED_TWEETS.name} " in world.client.get(api.METRICS).text
