"""Traffic that is a fault: one tweet that very many want, read by an agent at a bounded rate beside the load."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import ClassVar

import msgspec
from asyncmy.errors import MySQLError

from chaos.faults import databases
from chaos.faults.base import NotApplicableError, OnComponent, require_absent, state_of
from reference_app.contract import api, storage, tokens
from reference_app.contract.topology import Component, Lab
from reference_app.kit import files, membership
from reference_app.kit.home import Home
from reference_app.kit.http_connection import Connection
from reference_app.kit.ring import Ring
from reference_app.stack import agents, marks

GROUP = "tweet-cache"
MOST_PER_S, UNDER_WAY, LIMIT_SECONDS = 1000, 200, 2.0
LONGEST_SECONDS = 900.0
"""The agent ends itself after that, whoever forgot it."""
CANDIDATES, TELL_SECONDS = 500, 0.5
_LATEST = f"SELECT id, user_id, text FROM {storage.DATABASE}.tweets WHERE deleted_at IS NULL ORDER BY id DESC LIMIT {CANDIDATES}"  # noqa: S608
_LONGEST_FIRST = f"SELECT id, user_id FROM ({_LATEST}) latest ORDER BY LENGTH(text) DESC, id DESC"  # noqa: S608


class HotKey(OnComponent, frozen=True, tag="hot_key"):
    """One tweet that the cache holds is read `per_s` times a second more than the load does. `reader` is whose token the reads bring."""

    engine: ClassVar[str] = "extra reads"

    per_s: int = 200
    tweet: int = 0
    reader: int = 0

    @property
    def agent(self) -> str:
        return "hot-key"

    def check(self, home: Home) -> None:
        if not 1 <= self.per_s <= MOST_PER_S:
            raise NotApplicableError(f"per_s is {self.per_s}: it has to be between 1 and {MOST_PER_S}")
        super().check(home)
        _require_cache(home, self.component)
        require_absent(self, home)

    def apply(self, home: Home) -> None:
        """The agent runs on the cores of what watches the lab, as the load does. A sham's asks for nothing."""
        _read_file(home).unlink(missing_ok=True)
        wanted = [str(0 if self.sham else self.per_s), str(self.tweet), str(self.reader)]
        agents.start(home, self.agent, [*_beside(home), sys.executable, "-m", "chaos.faults.traffic", *wanted])

    def undo(self, home: Home) -> None:
        agents.end(home, self.agent)

    def in_effect(self, home: Home) -> bool:
        return agents.running(home, self.agent)

    def measured(self, home: Home) -> dict[str, float]:
        """Reads that were answered as wanted, that failed, and that were not sent because too many were under way."""
        try:
            return msgspec.json.decode(_read_file(home).read_bytes(), type=dict[str, float])
        except FileNotFoundError:
            return {}


def hot_key(home: Home, component: str, *, per_s: int, tweet: int = 0) -> HotKey:
    """Of that tweet, else of the longest of the latest: what it takes of a link must not be chance. Raises NotApplicableError when it holds none."""
    _require_cache(home, component)
    lab = home.lab()
    ring = Ring(membership.members_of(home.rings_file, GROUP, [cache.name for cache in lab.group(GROUP)]).nodes)
    for found, author in _latest(lab):
        if tweet in (0, found) and ring.node_of(found) == component:
            return HotKey(component, per_s=per_s, tweet=found, reader=author)
    raise NotApplicableError(
        f"{component} holds {f'no tweet {tweet}' if tweet else 'none of the latest tweets'}: nothing on it can become hot"
    )


def _latest(lab: Lab) -> Iterator[tuple[int, int]]:
    """(id, author) of the latest tweets of each shard that answers, longest first."""
    for shard in (c for c in lab.group("tweets-db") if c.role == "primary"):
        try:
            yield from asyncio.run(databases.answer(shard, _LONGEST_FIRST))
        except (MySQLError, OSError, TimeoutError):
            continue


def _require_cache(home: Home, component: str) -> None:
    state_of(home, component)
    if (group := home.lab().component(component).group) != GROUP:
        raise NotApplicableError(f"{component} is a {group}: tweets are held by those of {GROUP}")


def _beside(home: Home) -> Sequence[str]:
    prober = marks.components(home.path).get("prober")
    return ("taskset", "-c", ",".join(map(str, os.sched_getaffinity(prober.pid)))) if prober else ()


class _Reader:
    """Reads one path when it is time, whatever becomes of the reads before."""

    def __init__(self, entry: Component, message: bytes) -> None:
        self._entry, self._message = entry, message
        self._idle: list[Connection] = []
        self._reads: set[asyncio.Task[None]] = set()
        self.outcomes: Counter[str] = Counter()

    def send(self) -> None:
        if len(self._reads) >= UNDER_WAY:
            self.outcomes["not_sent"] += 1
            return
        task = asyncio.create_task(self._read())
        self._reads.add(task)
        task.add_done_callback(self._reads.discard)

    async def _read(self) -> None:
        try:
            connection = await self._connection()
            response = await connection.ask(self._message, LIMIT_SECONDS)
        except (OSError, TimeoutError):
            self.outcomes["failed"] += 1
            return
        self.outcomes["affected_operations" if response.status == 200 else "failed"] += 1
        if not connection.closed:
            self._idle.append(connection)

    async def _connection(self) -> Connection:
        while self._idle:
            if not (connection := self._idle.pop()).closed:
                return connection
        async with asyncio.timeout(LIMIT_SECONDS):
            _, connection = await asyncio.get_running_loop().create_connection(Connection, "127.0.0.1", self._entry.port)
        return connection


async def _be_agent(home: Home, per_s: int, tweet: int, reader: int) -> None:
    lab, now = home.lab(), time.monotonic
    token = tokens.sign(reader, key=lab.signing_key, expires_at=int(time.time() + 2 * LONGEST_SECONDS))
    path = api.TWEET.format(tweet_id=tweet)
    reads = _Reader(lab.entry, f"GET {path} HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: Bearer {token}\r\n\r\n".encode())
    began = told = now()
    sent = 0
    while (elapsed := now() - began) < LONGEST_SECONDS:
        for _ in range(int(elapsed * per_s) - sent):
            reads.send()
            sent += 1
        if now() - told > TELL_SECONDS:
            files.write_json(_read_file(home), reads.outcomes)
            told = now()
        await asyncio.sleep(max(0.005, 1 / (per_s or 1) if per_s else TELL_SECONDS))


def _read_file(home: Home) -> Path:
    """What became of the reads so far."""
    return home.chaos / "hot-key.json"


if __name__ == "__main__":
    asyncio.run(_be_agent(Home.from_environment(), *map(int, sys.argv[1:])))
