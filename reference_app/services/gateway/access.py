"""Who asks, and for which part: the token of a request, and its page."""

from __future__ import annotations

import time
from collections.abc import Callable

from starlette.requests import Request

from reference_app.contract import api, consistency, tokens
from reference_app.instrumentation import service
from reference_app.kit import errors
from reference_app.services.gateway import domain


class Access:
    def __init__(self, signing_key: str, *, now: Callable[[], float] = time.time) -> None:
        self._signing_key, self._now = signing_key, now

    def user(self, request: Request) -> int:
        """The user whose token it is. Raises AppError unauthorized."""
        token = domain.bearer_token(request.headers.get("authorization"))
        user_id = tokens.verify(token, key=self._signing_key, now=self._now())
        if user_id is None:
            raise errors.AppError("unauthorized", "the token is not valid or has expired; POST /tokens gives a new one")
        return user_id


def own(request: Request) -> str:
    """The consistency token that the client brings, empty without one. Raises AppError invalid."""
    token = request.headers.get(api.CONSISTENCY, "")
    try:
        consistency.positions(token)
    except ValueError:
        raise errors.AppError("invalid", f"{api.CONSISTENCY} is not one that an answer of POST /tweets gave") from None
    return token


def limit(request: Request) -> int:
    """Tweets on a page. Raises AppError invalid."""
    return service.integer(request, "limit", default=api.PAGE_DEFAULT, low=1, high=api.PAGE_MAX)


def cursor(request: Request) -> int | None:
    """The id below which the page begins, None on a first page. Raises AppError invalid."""
    return service.integer(request, "cursor", default=0, low=1, high=api.MAX_ID) or None
