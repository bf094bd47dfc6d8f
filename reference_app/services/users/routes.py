"""HTTP in, accounts out."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from reference_app.contract import api, tokens
from reference_app.instrumentation import service
from reference_app.kit import errors
from reference_app.services.users import domain
from reference_app.services.users.store import Users


class Endpoints:
    """scrypt runs in a thread: it would hold the loop for 50 ms."""

    def __init__(self, store: Users, *, signing_key: str, now: Callable[[], float]) -> None:
        self._store, self._signing_key, self._now = store, signing_key, now

    def routes(self) -> list[Route]:
        return [
            Route(api.Internal.REGISTER, self.register, methods=["POST"]),
            Route(api.Internal.LOGIN, self.log_in, methods=["POST"]),
            Route(api.Internal.PROFILES, self.profiles, methods=["POST"]),
            Route(api.Internal.BY_HANDLE, self.by_handle, methods=["GET"]),
        ]

    async def register(self, request: Request) -> Response:
        wanted = await service.body(request, api.Credentials)
        domain.check_new(wanted)
        password_hash = await asyncio.to_thread(domain.hash_password, wanted.password, salt=secrets.token_bytes(domain.SALT_BYTES))
        try:
            user_id = await self._store.insert(handle=wanted.handle, password_hash=password_hash)
        except errors.Duplicate as error:
            raise errors.AppError("conflict", f"the handle {wanted.handle} is taken") from error
        except errors.CallError as error:
            raise errors.answer_to(error, writing=True) from error
        return service.json_response(api.Profile(user_id, wanted.handle), 201)

    async def log_in(self, request: Request) -> Response:
        given = await service.body(request, api.Credentials)
        account = await self._authenticated(given) if domain.plausible(given) else None
        if account is None:
            raise errors.AppError("unauthorized", "there is no such handle with that password")
        expires_at = int(self._now()) + tokens.LIFETIME_S
        token = tokens.sign(account.id, key=self._signing_key, expires_at=expires_at)
        return service.json_response(api.Token(token, expires_at))

    async def profiles(self, request: Request) -> Response:
        wanted = await service.body(request, api.Ids)
        if len(wanted.ids) > api.MULTIGET_MAX:
            raise errors.AppError("invalid", f"at most {api.MULTIGET_MAX} ids at once")
        return service.json_response(api.Profiles(await self._store.profiles(wanted.ids)))

    async def by_handle(self, request: Request) -> Response:
        handle: str = request.path_params["handle"]
        profile = await self._store.profile(handle) if domain.is_handle(handle) else None
        if profile is None:
            raise errors.AppError("not_found", "there is no user with that handle")
        return service.json_response(profile)

    async def _authenticated(self, given: api.Credentials) -> domain.Account | None:
        account = await self._store.find(given.handle)
        return account if await asyncio.to_thread(domain.matches, given.password, account) else None
