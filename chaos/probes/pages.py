"""Home pages as users see them: read through the gateway, with tokens minted for seeded users."""

from __future__ import annotations

import contextlib
import secrets
import time

import httpx
import msgspec

from chaos import events, session
from reference_app.contract import api, tokens
from reference_app.contract.seed import Seed
from reference_app.contract.topology import Lab
from reference_app.kit.home import Home

__all__ = ["complete_page_share"]

TIMEOUT_SECONDS, TOKEN_SECONDS = 2.5, 300
BUDGET_SECONDS = 6.0
"""For all pages together: rollbacks wait for this probe."""


class _Page(msgspec.Struct):
    partial: bool


class _Account(msgspec.Struct):
    id: str


def complete_page_share(pages: int = 20) -> float:
    """Share of home pages, 0 to 1, from which nothing was dropped. A page that did not come in time counts as incomplete."""
    home = Home.from_environment()
    lab, began = home.lab(), time.time()
    deadline = time.monotonic() + BUDGET_SECONDS
    with httpx.Client(base_url=lab.entry_url, timeout=TIMEOUT_SECONDS, trust_env=False) as client:
        readers = _readers(home, client, max(pages, 1))
        read = [_read(client, lab, user) for user in readers if time.monotonic() < deadline]
    _record(home, began=began, asked=len(read), answered=sum(page is not None for page in read))
    return sum(page is not None and not page.partial for page in read) / max(pages, 1)


def _record(home: Home, *, began: float, asked: int, answered: int) -> None:
    """What the gateway counts and no load has sent; by hand, outside of a run, there is nobody to tell."""
    with contextlib.suppress(session.NoSessionError):
        events.write(session.current(home).run_dir, "pages_read", clock=time.time, began=began, asked=asked, answered=answered)


def _readers(home: Home, client: httpx.Client, count: int) -> list[int]:
    """Users spread evenly over those who were seeded; an account of our own when there are none, nobody when it cannot be made."""
    users = _seeded(home)
    if users:
        return [1 + index * users // count for index in range(count)]
    own = _own_account(client)
    return [own] * count if own else []


def _seeded(home: Home) -> int:
    try:
        return msgspec.json.decode(home.seed_file.read_bytes(), type=Seed).users
    except FileNotFoundError:
        return 0


def _own_account(client: httpx.Client) -> int | None:
    credentials = {"handle": f"probe{secrets.token_hex(4)}", "password": secrets.token_hex(8)}
    try:
        answer = client.post(api.USERS, json=credentials)
        return int(msgspec.json.decode(answer.content, type=_Account).id)
    except (httpx.HTTPError, msgspec.MsgspecError, ValueError):
        return None


def _read(client: httpx.Client, lab: Lab, user: int) -> _Page | None:
    """The page, None when it did not come."""
    token = tokens.sign(user, key=lab.signing_key, expires_at=int(time.time()) + TOKEN_SECONDS)
    try:
        answer = client.get(api.HOME, headers={"authorization": f"Bearer {token}"})
        return msgspec.json.decode(answer.raise_for_status().content, type=_Page)
    except (httpx.HTTPError, msgspec.MsgspecError):
        return None
