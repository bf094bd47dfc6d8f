"""The Locust user through which an open loop sends. One of it is the whole crowd."""

from __future__ import annotations

import errno
from typing import Any, ClassVar

import msgspec
from gevent import Timeout
from locust import FastHttpUser, constant, task
from locust.exception import StopUser

from loadgen.model.mix import Request
from loadgen.model.outcomes import Answer, Failure
from loadgen.users import crew
from loadgen.users.openloop import OUTSTANDING_MAX, OpenLoop
from reference_app.contract import api, tokens

NONE_LEFT = (errno.EMFILE, errno.ENFILE, errno.EADDRNOTAVAIL, errno.ENOBUFS)
ROUTES = {"home": ("GET", api.HOME), "user_timeline": ("GET", api.USER_TWEETS), "post": ("POST", api.TWEETS)}


class OpenLoopUser(FastHttpUser):
    """Sends one request at a time per greenlet of the loop. `load` is set when the test starts."""

    abstract = True
    fixed_count = 1
    wait_time = constant(0)
    concurrency, max_retries, max_redirects = OUTSTANDING_MAX, 0, 0
    load: ClassVar[OpenLoop]

    def __init__(self, environment: Any) -> None:
        self.timeout_s = self.network_timeout = self.connection_timeout = self.load.clients.timeout_s
        super().__init__(environment)
        self.client.client.valid_response_codes = frozenset(range(100, 600))  # type: ignore[misc]  # any status is an answer; we judge it ourselves
        self._tokens: dict[int, str] = {}

    @task
    def crowd(self) -> None:
        """The whole load, then the end of the test."""
        if self.load.run(self.send):
            crew.end(self.environment)
        raise StopUser

    def send(self, request: Request) -> Answer:
        """Send one request and wait for its answer, at most the client's timeout."""
        method, route = ROUTES[request.op]
        body = msgspec.json.encode({"text": request.text}).decode() if request.op == "post" else None
        with (
            Timeout(self.timeout_s, exception=False),
            self.client.request(
                method, route.format(user_id=request.target), name=route, data=body, headers=self._headers(request), catch_response=True
            ) as response,
        ):
            return self._answer(response)
        return Answer(0, "timeout")

    def _answer(self, response: Any) -> Answer:
        """A body that breaks or stalls comes with the status of its headers: only the exception says that there is no answer."""
        if (broken := response.request_meta["exception"]) is not None:
            failure = _failure(broken)
            response.failure(failure)
            return Answer(0, failure)
        if response.status_code >= 400:
            response.failure(f"status {response.status_code}")
        asked_for, request_id = _seconds(response.headers.get("retry-after")), response.headers.get(api.REQUEST_ID) or ""
        return Answer(response.status_code, body=response.content or b"", retry_after=asked_for, request_id=request_id)

    def _headers(self, request: Request) -> dict[str, str]:
        headers = {"authorization": f"Bearer {self._token(request.user)}"}
        if request.op == "post":
            headers |= {"content-type": "application/json", api.IDEMPOTENCY_KEY: request.key}
        return headers

    def _token(self, user: int) -> str:
        """Signed here with the lab's key: a short cut, so that a load does not begin with a storm of logins."""
        if user not in self._tokens:
            session = self.load.session
            expires_at = int(session.plan.t0) + tokens.LIFETIME_S
            self._tokens[user] = tokens.sign(user, key=session.lab.signing_key, expires_at=expires_at)
        return self._tokens[user]


def _failure(error: BaseException) -> Failure:
    cause = getattr(error, "original", error)  # geventhttpclient wraps timeouts into "retries exceeded"
    if isinstance(cause, ConnectionRefusedError):
        return "refused"
    if isinstance(cause, OSError) and cause.errno in NONE_LEFT:
        return "exhausted"
    return "timeout" if isinstance(cause, (TimeoutError, Timeout)) else "lost"


def _seconds(retry_after: str | None) -> float:
    """Zero without the header, and for its date form, which the contract does not use."""
    return float(retry_after) if retry_after and retry_after.isdecimal() else 0.0
