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

from reference_app.contract.profile import LAB, Profile
from reference_app.contract.topology import Component
from reference_app.kit import breaker, calls, deadline, errors
from reference_app.kit.pipelining import Pipelined

T = TypeVar("T")
_SYSTEM = "redis"


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
        self, component: Component, *, profile: Profile = LAB, observe: calls.ObserveStore = calls.unobserved, breaker: breaker.Breaker
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
        self._pipelined = Pipelined(component.port, connect_timeout=profile.connect_timeout, timeout=profile.redis_timeout)

    async def run(self, operation: str, work: Callable[[redis.asyncio.Redis], Awaitable[T]]) -> T:
        """Run commands on the client within the Redis timeout and the deadline."""
        return await self._measured(operation, lambda: work(self._client))

    async def command(self, *command: str | bytes | int) -> Any:
        """Run one command, on the connection of the scripts."""
        return await self._measured(str(command[0]), lambda: self._pipelined.call(*command))

    async def script(self, name: str, script: Script, arguments: Sequence[str | bytes | int]) -> Any:
        """Run a timeline script; scripts of a process reach the server in the order of these calls, and their text once per server life."""
        return await self._measured(name, lambda: self._evaluate(script, arguments))

    async def close(self) -> None:
        """Close the connections."""
        self._pipelined.close()
        await self._client.aclose()

    async def _evaluate(self, script: Script, arguments: Sequence[str | bytes | int]) -> Any:
        try:
            return await self._pipelined.call("EVALSHA", script.sha, 1, script.key, *arguments)
        except redis.exceptions.NoScriptError:
            return await self._pipelined.call("EVAL", script.text, 1, script.key, *arguments)

    async def _measured(self, operation: str, work: Callable[[], Awaitable[T]]) -> T:
        return await calls.measured(self._observe, self.peer, operation, self._guarded(work), _SYSTEM)

    async def _guarded(self, work: Callable[[], Awaitable[T]]) -> T:
        limit = deadline.limit(self._profile.redis_timeout)
        if not self.breaker.allow():
            raise errors.NeverSent(self.peer, "breaker_open")
        try:
            async with asyncio.timeout(limit):
                result = await work()
        except (TimeoutError, redis.exceptions.TimeoutError):
            self.breaker.failure()
            raise errors.OutcomeUnknown(self.peer, "timeout", f"no answer in {limit:.2f} s") from None
        except redis.exceptions.ConnectionError as error:
            self.breaker.failure()
            await self._client.connection_pool.disconnect(inuse_connections=False)  # who lost one has lost all that are as old
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
