"""The witness: a slow prober with two accounts of its own. It posts, deletes and reads through the front door while a run goes on,
and writes down what it was told and shown.
"""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

import httpx
import msgspec

from chaos.audit.sightings import Sighting
from reference_app.contract import api, tokens
from reference_app.contract.topology import Lab
from reference_app.kit import files

FILE = "chaos/witness.ndjson"
"""Below the run directory."""
PERIOD_S, TIMEOUT_S, TOKEN_S = 1.0, 2.5, 7200
PAGE = 50
DELETES_EVERY, DELETES_OLDER_S = 4, 6.0
"""Every fourth round deletes a tweet that every page has shown by then."""


class _Named(msgspec.Struct):
    id: str


class _Page(msgspec.Struct):
    tweets: list[_Named]
    next_cursor: str | None
    partial: bool


@dataclass
class _Accounts:
    """The author whom the reader follows; ids and headers."""

    author: int
    reader: int
    headers: Mapping[int, Mapping[str, str]]
    living: dict[int, float] = field(default_factory=dict)
    """Tweets that were acknowledged and not asked to be deleted -> when."""


class Witness(threading.Thread):
    """`with Witness(lab, run_dir):` watches until the block ends. A sick lab is written down, never raised."""

    def __init__(self, lab: Lab, run_dir: Path, *, clock: Callable[[], float] = time.time) -> None:
        super().__init__(name="witness", daemon=True)
        self._lab, self._clock = lab, clock
        self._lines = files.LineWriter(run_dir / FILE)
        self._ended = threading.Event()

    def run(self) -> None:
        with httpx.Client(base_url=self._lab.entry_url, timeout=TIMEOUT_S, trust_env=False) as client:
            accounts, number = None, 0
            while not self._ended.wait(PERIOD_S):
                accounts = accounts or _accounts(client, self._lab)
                if accounts is not None:
                    self._round(client, accounts, number)
                    number += 1

    def stop(self) -> None:
        """End after the request under way."""
        self._ended.set()
        if self.ident is not None:
            self.join()
        self._lines.close()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        self.stop()

    def _round(self, client: httpx.Client, accounts: _Accounts, number: int) -> None:
        posted = self._asked(client, "post", accounts.author, accounts, key=f"witness-{number}")
        if posted.outcome == "ok":
            accounts.living[posted.tweet_id] = posted.ended
        old = [tweet_id for tweet_id, since in accounts.living.items() if self._clock() - since > DELETES_OLDER_S]
        if old and number % DELETES_EVERY == 0:
            accounts.living.pop(old[0])
            self._asked(client, "delete", accounts.author, accounts, tweet_id=old[0])
        self._asked(client, "home", accounts.reader, accounts)
        self._asked(client, "user_timeline", accounts.author, accounts)

    def _asked(
        self,
        client: httpx.Client,
        op: Literal["post", "delete", "home", "user_timeline"],
        user: int,
        accounts: _Accounts,
        *,
        key: str = "",
        tweet_id: int = 0,
    ) -> Sighting:
        request = _request(client, op, user, accounts.headers[user], key=key, tweet_id=tweet_id)
        began = self._clock()
        try:
            answer = client.send(request)
        except httpx.HTTPError:
            answer = None
        seen = _sighting(op, began, self._clock(), user, answer, tweet_id=tweet_id)
        self._lines.write(seen)
        return seen


def read(run_dir: Path) -> tuple[Sighting, ...]:
    """What the witness of a run saw; nothing when it had none."""
    return read_file(run_dir / FILE)


def read_file(path: Path) -> tuple[Sighting, ...]:
    """Sightings of a file, or of a copy of it; none when there is no file."""
    return tuple(msgspec.convert(line, Sighting, strict=False) for line in files.read_lines(path))


def _accounts(client: httpx.Client, lab: Lab) -> _Accounts | None:
    """Two new accounts, or None while they cannot be made."""
    try:
        author, reader = (_account(client) for _ in range(2))
        signed = {user: tokens.sign(user, key=lab.signing_key, expires_at=int(time.time()) + TOKEN_S) for user in (author, reader)}
        headers = {user: {"authorization": f"Bearer {token}"} for user, token in signed.items()}
        client.put(api.FOLLOWING.format(user_id=author), headers=headers[reader]).raise_for_status()
        client.get(api.HOME, headers=headers[reader]).raise_for_status()
    except (httpx.HTTPError, ValueError):
        return None
    return _Accounts(author, reader, headers)


def _account(client: httpx.Client) -> int:
    credentials = {"handle": f"w{secrets.token_hex(6)}", "password": secrets.token_hex(8)}
    answer = client.post(api.USERS, json=credentials).raise_for_status()
    return int(msgspec.json.decode(answer.content, type=_Named).id)


def _request(client: httpx.Client, op: str, user: int, authorization: Mapping[str, str], *, key: str, tweet_id: int) -> httpx.Request:
    if op == "post":
        headers = {**authorization, api.IDEMPOTENCY_KEY: key}
        return client.build_request("POST", api.TWEETS, headers=headers, json={"text": f"{key}: all is well?"})
    if op == "delete":
        return client.build_request("DELETE", api.TWEET.format(tweet_id=tweet_id), headers=authorization)
    path = api.HOME if op == "home" else api.USER_TWEETS.format(user_id=user)
    return client.build_request("GET", path, params={"limit": PAGE}, headers=authorization)


def _sighting(
    op: Literal["post", "delete", "home", "user_timeline"],
    began: float,
    ended: float,
    user: int,
    answer: httpx.Response | None,
    *,
    tweet_id: int,
) -> Sighting:
    if answer is None or not answer.is_success:
        return Sighting(op, began, ended, "unknown", user, tweet_id)
    if op == "delete":
        return Sighting(op, began, ended, "ok", user, tweet_id)
    try:
        if op == "post":
            return Sighting(op, began, ended, "ok", user, int(msgspec.json.decode(answer.content, type=_Named).id))
        page = msgspec.json.decode(answer.content, type=_Page)
        ids = tuple(int(tweet.id) for tweet in page.tweets)
    except ValueError:  # of msgspec as well: what came is no answer
        return Sighting(op, began, ended, "unknown", user, tweet_id)
    return Sighting(op, began, ended, "ok", user, ids=ids, partial=page.partial, more=page.next_cursor is not None)
