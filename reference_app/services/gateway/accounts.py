"""Accounts: registering, logging in, and who has a handle."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from reference_app.contract import api
from reference_app.contract.profile import LAB
from reference_app.instrumentation import service
from reference_app.kit import deadline
from reference_app.services.gateway.callees import Callees


@dataclass(frozen=True)
class Endpoints:
    callees: Callees

    def routes(self) -> list[Route]:
        return [
            Route(api.USERS, self.register, methods=["POST"]),
            Route(api.TOKENS, self.log_in, methods=["POST"]),
            Route(api.HANDLE, self.by_handle, methods=["GET"]),
        ]

    async def register(self, request: Request) -> Response:
        deadline.start(LAB.post_deadline)
        return service.json_response(await self.callees.register(await service.body(request, api.Credentials)), 201)

    async def log_in(self, request: Request) -> Response:
        deadline.start(LAB.home_deadline)
        return service.json_response(await self.callees.log_in(await service.body(request, api.Credentials)))

    async def by_handle(self, request: Request) -> Response:
        deadline.start(LAB.home_deadline)
        return service.json_response(await self.callees.user_of_handle(request.path_params["handle"]))
