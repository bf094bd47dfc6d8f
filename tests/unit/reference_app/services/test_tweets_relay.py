"""The relay and a stream that comes back empty: whatever fails meanwhile, the outbox of every shard fills it again."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import nats.errors
import nats.js.errors
import pytest

from reference_app.contract import metrics, storage
from reference_app.contract.topology import Component
from reference_app.instrumentation.recorder import Recorder
from reference_app.kit import errors
from reference_app.kit.deciders import Deciders
from reference_app.kit.failpoints import Failpoints
from reference_app.kit.stream import Stream
from reference_app.services.tweets import relay as relay_module
from reference_app.services.tweets import store
from reference_app.services.tweets.relay import Relay

NOW_MS = 1_795_000_000_000


@dataclass
class Database:
    """A primary that is away for its first writes."""

    peer: str
    away: int = 0
    written: list[str] = field(default_factory=list)

    async def write(self, operation: str, _work: object) -> int:
        if self.away:
            self.away -= 1
            raise errors.NeverSent(self.peer, "refused")
        self.written.append(operation)
        return 0


@dataclass
class Shard:
    index: int
    primary: Database


class Remade:
    """A stream that had to be made: it says so once."""

    def __init__(self) -> None:
        self.lost = True

    async def open(self) -> bool:
        made, self.lost = self.lost, False
        return made


class Emptied:
    """A stream that is well when the loops start, then away, then back and empty."""

    def __init__(self, opened_before: int) -> None:
        self._opened, self._before = 0, opened_before

    async def open(self) -> bool:
        self._opened += 1
        if self._opened == self._before + 1:
            raise errors.OutcomeUnknown("events-0", "timeout")
        return self._opened == self._before + 2


async def _for_a_moment(loop: Callable[[], Awaitable[None]]) -> None:
    """As kit.tasks runs it, without the pause."""
    with contextlib.suppress(TimeoutError, errors.CallError):
        async with asyncio.timeout(0.01):
            await loop()


def test_a_shard_that_is_away_when_the_stream_is_made_publishes_again_once_it_is_back(tmp_path: Path) -> None:
    there, away = Shard(0, Database("a")), Shard(1, Database("b", away=1))
    relay: Any = Relay(
        [there, away],  # type: ignore[list-item]
        Remade(),  # type: ignore[arg-type]
        None,  # type: ignore[arg-type]
        deciders=Deciders(tmp_path / "deciders.json"),
        failpoints=Failpoints(tmp_path / "failpoints.json"),
        recorder=Recorder(),
    )

    async def run() -> None:
        for shard in (away, there, away, there):
            await _for_a_moment(lambda shard=shard: relay.run(shard))  # type: ignore[misc]

    asyncio.run(run())
    assert [shard.primary.written.count("unpublish") for shard in (there, away)] == [1, 1]


def test_a_stream_that_comes_back_empty_while_nobody_posts_is_published_again_by_all_shards(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(relay_module, "POLL_SECONDS", 0.001)
    monkeypatch.setattr(relay_module, "WATCH_SECONDS", 0.001)
    heard: asyncio.Queue[str] = asyncio.Queue()

    class Telling(Database):
        async def write(self, operation: str, work: object) -> int:
            if operation == "unpublish":
                heard.put_nowait(self.peer)
            return await super().write(operation, work)

    shards = [Shard(0, Telling("a")), Shard(1, Telling("b"))]
    relay: Any = Relay(
        shards,  # type: ignore[arg-type]
        Emptied(opened_before=len(shards)),  # type: ignore[arg-type]
        None,  # type: ignore[arg-type]
        deciders=Deciders(tmp_path / "deciders.json"),
        failpoints=Failpoints(tmp_path / "failpoints.json"),
        recorder=Recorder(),
    )

    async def run() -> list[asyncio.Future[None]]:
        loops = [asyncio.ensure_future(loop) for loop in (relay.run(shards[0]), relay.run(shards[1]), relay.watch())]
        async with asyncio.timeout(5):
            assert {await heard.get(), await heard.get()} == {"a", "b"}
        return loops

    asyncio.run(run())
    assert heard.empty(), "each once"


def test_a_stream_that_is_lost_again_while_a_shard_publishes_again_is_published_once_more(tmp_path: Path) -> None:
    stream = Remade()

    class Slow(Database):
        async def write(self, operation: str, work: object) -> int:
            if operation == "unpublish" and not self.written:
                stream.lost = True
                await relay._open()
            return await super().write(operation, work)

    shard = Shard(0, Slow("a"))
    relay: Any = Relay(
        [shard],  # type: ignore[list-item]
        stream,  # type: ignore[arg-type]
        None,  # type: ignore[arg-type]
        deciders=Deciders(tmp_path / "deciders.json"),
        failpoints=Failpoints(tmp_path / "failpoints.json"),
        recorder=Recorder(),
    )

    async def run() -> None:
        for _ in range(2):
            await _for_a_moment(lambda: relay.run(shard))

    asyncio.run(run())
    assert shard.primary.written.count("unpublish") == 2


def test_what_an_outbox_keeps_is_flagged_in_steps_however_much_it_is(tmp_path: Path) -> None:
    asked: list[int] = []

    class Full(Database):
        async def write(self, _operation: str, work: Any) -> int:
            asked.append(work.keywords["after"])
            return (1000, 2000, 0)[len(asked) - 1]

    relay: Any = Relay(
        [],
        None,  # type: ignore[arg-type]
        None,  # type: ignore[arg-type]
        deciders=Deciders(tmp_path / "deciders.json"),
        failpoints=Failpoints(tmp_path / "failpoints.json"),
        recorder=Recorder(),
    )
    asyncio.run(relay._republish(Shard(0, Full("a"))))
    assert asked == [0, 1000, 2000]


def test_everything_that_is_old_is_purged_however_much_it_is(tmp_path: Path) -> None:
    """A thousand rows a minute are less than seventeen posts a second leave."""
    purged: list[int] = []

    class Full(Database):
        async def write(self, _operation: str, _work: object) -> int:
            purged.append(store.PURGED_AT_ONCE if len(purged) < 3 else 7)
            return purged[-1]

    relay: Any = Relay(
        [Shard(0, Full("a"))],  # type: ignore[list-item]
        None,  # type: ignore[arg-type]
        None,  # type: ignore[arg-type]
        deciders=Deciders(tmp_path / "deciders.json"),
        failpoints=Failpoints(tmp_path / "failpoints.json"),
        recorder=Recorder(),
    )
    asyncio.run(relay._purge())
    assert purged == [store.PURGED_AT_ONCE] * 3 + [7]


@pytest.mark.parametrize(("row", "waiting", "age"), [((0, None), 0, 0), ((3, NOW_MS - 2500), 3, 2.5), ((1, NOW_MS + 9000), 1, 0)])
def test_the_backlog_is_told_with_the_age_of_its_first_row(
    row: tuple[int, int | None], waiting: int, age: float, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A row of the future is no older than nothing: another process's clock may be ahead."""
    recorder = Recorder()
    relay: Any = Relay(
        [],
        None,  # type: ignore[arg-type]
        None,  # type: ignore[arg-type]
        deciders=Deciders(tmp_path / "deciders.json"),
        failpoints=Failpoints(tmp_path / "failpoints.json"),
        recorder=recorder,
    )
    monkeypatch.setattr(relay_module, "_now_ms", lambda: NOW_MS)
    asyncio.run(relay._export(Told(row)))
    told = recorder.exposition().decode()
    assert f'{metrics.OUTBOX_UNPUBLISHED.name}{{shard="tweets-db-0"}} {float(waiting)}' in told
    assert f'{metrics.OUTBOX_OLDEST.name}{{shard="tweets-db-0"}} {float(age)}' in told


class Told:
    """A shard whose outbox answers with one row, to whatever is asked."""

    name = "tweets-db-0"

    def __init__(self, row: tuple[int, int | None]) -> None:
        self._row = row

    async def read(self, _operation: str, work: Callable[[Any], Awaitable[object]]) -> tuple[object, bool]:
        return await work(self), False

    async def fetch(self, _query: str) -> list[tuple[int, int | None]]:
        return [self._row]


class Manager:
    """JetStream without streams, whose answer to one question is lost on the way."""

    def __init__(self, loses: str) -> None:
        self.streams: list[str] = []
        self._loses = loses

    async def stream_info(self, name: str) -> None:
        if name not in self.streams:
            raise nats.js.errors.NotFoundError

    async def add_stream(self, config: Any) -> None:
        self.streams.append(config.name)
        if config.name == self._loses:
            self._loses = ""
            raise nats.errors.TimeoutError


class Client:
    is_closed, is_connected = False, True

    def __init__(self, manager: Manager) -> None:
        self.jsm = lambda: manager


@pytest.mark.parametrize("loses", [storage.STREAM, storage.DEAD_LETTER_STREAM])
def test_whoever_makes_the_streams_is_told_so_although_an_answer_was_lost(loses: str) -> None:
    manager = Manager(loses)
    stream = Stream(Component("events-0", "nats", "events", 0, 1, shard="events-0"))
    stream._client = Client(manager)  # type: ignore[assignment]

    async def open_twice() -> tuple[bool, bool]:
        with pytest.raises(errors.OutcomeUnknown):
            await stream.open()
        return await stream.open(), await stream.open()

    assert asyncio.run(open_twice()) == (True, False)
    assert {storage.STREAM, storage.DEAD_LETTER_STREAM} <= set(manager.streams)
