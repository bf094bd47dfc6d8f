"""Redis from asyncio, with a breaker, one timeout and the outcomes of kit.errors."""

from __future__ import annotations

import asyncio
import functools
import hashlib
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import redis.asyncio
import redis.exceptions
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from reference_app.contract import spans
from reference_app.contract.profile import LAB, Profile
from reference_app.contract.topology import Component
from reference_app.kit import breaker, calls, deadline, errors, tracing

T = TypeVar("T")
_ATTRIBUTES = {spans.DB_SYSTEM: "redis"}


@dataclass(frozen=True)
class Script:
    """A Lua script over one key, called by its hash."""

    text: str
    key: str

    @functools.cached_property
    def sha(self) -> str:
        return hashlib.sha1(self.text.encode(), usedforsecurity=False).hexdigest()


class Cache:
    """One Redis. Failures are NeverSent (refused, breaker open), OutcomeUnknown (timeout, lost) or Rejected (error reply)."""

    def __init__(
        self, component: Component, *, profile: Profile = LAB, observe: calls.Observe = calls.unobserved, breaker: breaker.Breaker
    ) -> None:
        self.peer, self.breaker = component.name, breaker
        self._profile, self._observe = profile, observe
        self._client = redis.asyncio.Redis(
            host="127.0.0.1",
            port=component.port,
            socket_connect_timeout=profile.connect_timeout,
            retry=Retry(NoBackoff(), 0),
            protocol=2,
        )

    async def run(self, operation: str, work: Callable[[redis.asyncio.Redis], Awaitable[T]]) -> T:
        """Run commands on the client within the Redis timeout and the deadline."""
        return await calls.measured(self._observe, self.peer, operation, self._guarded(work), tracing.begin(_ATTRIBUTES))

    async def script(self, name: str, script: Script, arguments: Sequence[Any]) -> Any:
        """Run a timeline script; `script` keeps its hash so that the text is sent once per server life."""

        async def evaluate(client: redis.asyncio.Redis) -> Any:
            try:
                return await client.evalsha(script.sha, 1, script.key, *arguments)
            except redis.exceptions.NoScriptError:
                return await client.eval(script.text, 1, script.key, *arguments)

        return await self.run(name, evaluate)

    async def close(self) -> None:
        """Close the pool."""
        await self._client.aclose()

    async def _guarded(self, work: Callable[[redis.asyncio.Redis], Awaitable[T]]) -> T:
        limit = deadline.limit(self._profile.redis_timeout)
        if not self.breaker.allow():
            raise errors.NeverSent(self.peer, "breaker_open")
        try:
            async with asyncio.timeout(limit):
                result = await work(self._client)
        except (TimeoutError, redis.exceptions.TimeoutError):
            self.breaker.failure()
            raise errors.OutcomeUnknown(self.peer, "timeout", f"no answer in {limit:.2f} s") from None
        except redis.exceptions.ConnectionError as error:
            self.breaker.failure()
            raise _connection_error(self.peer, error) from error
        except redis.exceptions.ResponseError as error:
            self.breaker.success()
            raise errors.Rejected(self.peer, "error", str(error)) from error
        except BaseException:
            self.breaker.abandon()
            raise
        self.breaker.success()
        return result


def _connection_error(peer: str, error: Exception) -> errors.CallError:
    if isinstance(error.__cause__, ConnectionRefusedError) or "refused" in str(error):
        return errors.NeverSent(peer, "refused", str(error))
    return errors.OutcomeUnknown(peer, "lost", str(error))
