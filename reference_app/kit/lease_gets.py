"""Lease-gets on a cache: who misses gets a token, the others wait, and only the token's holder fills (Nishtala et al., "Scaling Memcache", NSDI'13, 3.2.1).

The token lies in the key itself. Whatever replaces it, above all the marker of a deletion, voids it: a late fill finds another value than
its token and is refused. The same swap of "only if it is still what I read" serves a refresh (tweetypie: overwrite Found only if unchanged).
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import redis.exceptions
from redis.asyncio import Redis

PREFIX = b"L"
"""First byte of a key that holds a token; no value begins with it."""
_SWAP = """
local done = {}
for i, key in ipairs(KEYS) do
  local expected, value, ttl_ms = ARGV[3 * i - 2], ARGV[3 * i - 1], ARGV[3 * i]
  done[i] = 0
  if redis.call('GET', key) == expected then
    done[i] = 1
    if value == '' then redis.call('DEL', key)
    elseif ttl_ms == '0' then redis.call('SET', key, value, 'KEEPTTL')
    else redis.call('SET', key, value, 'PX', ttl_ms) end
  end
end
return done
"""
_SHA = hashlib.sha1(_SWAP.encode(), usedforsecurity=False).hexdigest()


Claim = tuple[bytes, bytes | None]
"""A token, and what is there instead of it: None when it was granted, else a value or another's token."""


@dataclass(frozen=True)
class Swap:
    """Replace `expected` by `value` for `ttl_ms` milliseconds (0: for as long as it had). An empty value ends the key."""

    key: str
    expected: bytes
    value: bytes
    ttl_ms: int


def token() -> bytes:
    """64 random bits, as they lie in a key."""
    return PREFIX + secrets.token_bytes(8)


async def claim(client: Redis, keys: Sequence[str], *, ttl_ms: int) -> list[Claim]:
    """One for each key."""
    tokens = [token() for _ in keys]
    pipe = client.pipeline(transaction=False)
    for key, granted in zip(keys, tokens, strict=True):
        pipe.set(key, granted, nx=True, get=True, px=ttl_ms)
    return list(zip(tokens, await pipe.execute(), strict=True))


async def swap(client: Redis, swaps: Sequence[Swap]) -> list[bool]:
    """Which of them were done; the others found something else than they expected."""
    keys = [each.key for each in swaps]
    arguments = [argument for each in swaps for argument in (each.expected, each.value, each.ttl_ms)]
    return [bool(done) for done in await _evaluate(client, keys, arguments)]


async def _evaluate(client: Redis, keys: Sequence[str], arguments: Sequence[Any]) -> list[int]:
    try:
        found: list[int] = await client.evalsha(_SHA, len(keys), *keys, *arguments)
    except redis.exceptions.NoScriptError:
        found = await client.eval(_SWAP, len(keys), *keys, *arguments)
    return found
