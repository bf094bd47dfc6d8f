"""HTTP/1.1 between services: a keep-alive pool over httptools, 21 us a call where aiohttp takes 100 (docs/adr/0002)."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

import msgspec

from reference_app.contract import api
from reference_app.contract.topology import Component
from reference_app.kit import calls, deadline, errors, tracing
from reference_app.kit.admission import NackAdmission
from reference_app.kit.balancer import Balancer, Instance
from reference_app.kit.http_connection import Connection, Response
from reference_app.kit.retrying import Retries

CONNECT_SECONDS = 0.3
request_id: ContextVar[str] = ContextVar("request_id", default="")
"""Id of the request being served; sent along on every call."""
fault: ContextVar[str] = ContextVar("fault", default="")
"""Fault that the request being served asks for (instrumentation/request_faults.py); sent along, too."""


class Client:
    """Calls one component. Raises NeverSent, OutcomeUnknown or, for 5xx, nothing: the caller reads the status."""

    def __init__(self, component: Component, *, observe: calls.Observe = calls.unobserved) -> None:
        self.peer = component.name
        self._port, self._observe = component.port, observe
        self._idle: list[Connection] = []

    async def call(self, method: str, path: str, *, route: str, body: bytes = b"", limit: float) -> Response:
        """One request within `limit` seconds and the current deadline. `route` is the template for metrics."""
        span = tracing.begin(method)
        started = time.perf_counter()
        outcome = "abandoned"
        try:
            response = await self._call(method, path, body, deadline.limit(limit), span)
            outcome = "ok" if response.status < 400 else f"{response.status // 100}xx"
            if span is not None:
                span.status = response.status
        except errors.CallError as error:
            outcome = error.outcome
            raise
        else:
            return response
        finally:
            self._observe(self.peer, route, outcome, time.perf_counter() - started, span)

    async def _call(self, method: str, path: str, body: bytes, limit: float, span: tracing.Span | None) -> Response:
        connection = await self._connection(limit)
        try:
            response = await connection.ask(_message(method, path, body, limit, tracing.traceparent(span)), limit)
        except TimeoutError:
            raise errors.OutcomeUnknown(self.peer, "timeout", f"{method} {path} in {limit:.2f} s") from None
        except ConnectionError as error:
            self.close()  # who lost one has lost all that are as old
            raise errors.OutcomeUnknown(self.peer, "lost", str(error)) from error
        if not connection.closed:
            self._idle.append(connection)
        return response

    async def _connection(self, limit: float) -> Connection:
        while self._idle:
            connection = self._idle.pop()
            if not connection.closed:
                return connection
        try:
            async with asyncio.timeout(min(limit, CONNECT_SECONDS)):
                _, connection = await asyncio.get_running_loop().create_connection(Connection, "127.0.0.1", self._port)
        except (OSError, TimeoutError) as error:
            raise errors.NeverSent(self.peer, "refused", str(error)) from error
        return connection

    def close(self) -> None:
        """Close idle connections."""
        while self._idle:
            self._idle.pop().close()


class _Nacked(errors.NeverSent):
    """A service refused before it did anything."""

    def __init__(self, peer: str, response: Response) -> None:
        super().__init__(peer, "nack")
        self.response = response


class _Failed(errors.Rejected):
    """A service answered that it failed, or that something behind it did."""

    def __init__(self, peer: str, response: Response) -> None:
        super().__init__(peer, "5xx")
        self.response = response


class Group:
    """All instances of a service: some calls are dropped, some made again, each on the instance that a balancer picks (docs/resilience.md)."""

    def __init__(
        self, balancer: Balancer[Client], *, retries: Retries, admission: NackAdmission, dropped: Callable[[], None] = lambda: None
    ) -> None:
        self._balancer, self._retries, self._admission, self._dropped = balancer, retries, admission, dropped

    async def call(self, method: str, path: str, *, route: str, body: bytes = b"", limit: float) -> Response:
        """The answer of some instance within `limit` seconds, retries included. Raises as `Client.call` does, and AppError overloaded."""
        if self._admission.drops():
            self._dropped()
            raise errors.AppError("overloaded", "most of these requests are refused at the moment: try again later", retry_after=1)
        repeatable = method == "GET" or (method == "POST" and route in api.Internal.POSTED_READS)
        patience = self._retries.patience if repeatable else _all_of_it
        instance, ends = self._balancer.pick(), time.monotonic() + limit
        try:
            response = await self._attempt(instance, method, path, route=route, body=body, limit=patience(limit))
        except errors.CallError as error:
            failed = error
        else:
            self._retries.succeeded()
            return response

        async def again(left: float) -> Response:
            nonlocal instance
            instance = self._balancer.pick(but=instance)
            return await self._attempt(instance, method, path, route=route, body=body, limit=patience(left))

        try:
            return await self._retries.repeat(again, failed, repeatable=repeatable, ends=ends)
        except (_Nacked, _Failed) as error:
            return error.response

    async def _attempt(self, instance: Instance[Client], method: str, path: str, *, route: str, body: bytes, limit: float) -> Response:
        instance.under_way += 1
        try:
            response = await instance.client.call(method, path, route=route, body=body, limit=limit)
        except errors.CallError:
            instance.breaker.failure()
            raise
        except BaseException:
            instance.breaker.abandon()
            raise
        finally:
            instance.under_way -= 1
        if response.status < 500:
            instance.breaker.success()
            self._admission.answered(nack=False)
            return response
        raise self._failure(instance, response)

    def _failure(self, instance: Instance[Client], response: Response) -> _Nacked | _Failed:
        """An instance that knows what is wrong is well; only one that has a bug is not."""
        stated = _stated(response)
        if stated.code == "internal":
            instance.breaker.failure()
        else:
            instance.breaker.success()
        self._admission.answered(nack=stated.nack)
        return (_Nacked if stated.nack else _Failed)(instance.client.peer, response)

    async def json(self, method: str, path: str, *, route: str, value: object = None, shape: type[Any] = dict, limit: float) -> Any:
        """Call with a JSON body and decode a 2xx answer as `shape`; an error answer of the callee raises as the AppError it states."""
        body = b"" if value is None else msgspec.json.encode(value)
        response = await self.call(method, path, route=route, body=body, limit=limit)
        if response.status >= 400:
            stated = _stated(response)
            raise errors.AppError(stated.code, stated.message, retry_after=stated.retry_after)
        return response.json(shape) if response.body else None

    async def each(self, method: str, path: str, *, route: str, limit: float) -> list[errors.CallError]:
        """The call on every instance, side by side; returns how it went wrong where it did."""
        found = await asyncio.gather(*(_failure(i.client, method, path, route=route, limit=limit) for i in self._balancer.instances))
        return [failure for failure in found if failure is not None]

    async def require_health(self) -> None:
        """Raises CallError when some instance is not ready."""
        for failure in await self.each("GET", api.HEALTH, route=api.HEALTH, limit=CONNECT_SECONDS):
            raise failure

    def close(self) -> None:
        """Close idle connections."""
        for instance in self._balancer.instances:
            instance.client.close()


def _all_of_it(left: float) -> float:
    return left


async def _failure(client: Client, method: str, path: str, *, route: str, limit: float) -> errors.CallError | None:
    try:
        response = await client.call(method, path, route=route, limit=limit)
    except errors.CallError as error:
        return error
    return None if response.status < 400 else errors.Rejected(client.peer, "error", f"{method} {path} was answered {response.status}")


def _message(method: str, path: str, body: bytes, limit: float, traceparent: str) -> bytes:
    wanted_fault = f"{api.FAULT}: {wanted}\r\n" if (wanted := fault.get()) else ""
    return (
        f"{method} {path} HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n"
        f"{api.REQUEST_ID}: {request_id.get()}\r\n{api.DEADLINE_MS}: {max(1, int(limit * 1000))}\r\n"
        f"{api.TRACEPARENT}: {traceparent}\r\n{wanted_fault}\r\n"
    ).encode() + body


@dataclass(frozen=True)
class _Stated:
    """What an error answer says (instrumentation.middleware.error_body). That it is a nack is true of who sent it, and is not passed on."""

    code: str
    message: str
    retry_after: float | None = None
    nack: bool = False


@dataclass(frozen=True)
class _Document:
    error: _Stated


def _stated(response: Response) -> _Stated:
    try:
        stated: _Stated = response.json(_Document).error
    except msgspec.DecodeError:
        stated = _Stated("", "")
    return stated if stated.code in api.ERROR_CODES else _Stated("internal", f"answered {response.status} without a stated error")
