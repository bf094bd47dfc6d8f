"""HTTP of the key-value tier."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from reference_app.contract import api
from reference_app.contract.api import Internal
from reference_app.contract.keyvalue import Dataset
from reference_app.instrumentation import service
from reference_app.services.keyvalue import domain
from reference_app.services.keyvalue.tier import Tier


@dataclass(frozen=True)
class Endpoints:
    tier: Tier

    def routes(self) -> list[Route]:
        return [
            Route(Internal.VALUES, self.get, methods=["POST"]),
            Route(Internal.VALUES, self.put, methods=["PUT"]),
            Route(Internal.ADD, self.add, methods=["POST"]),
            Route(Internal.REMOVE, self.remove, methods=["POST"]),
        ]

    async def get(self, request: Request) -> Response:
        dataset, wanted = _dataset(request), await service.body(request, api.Keys)
        domain.check_keys(wanted.keys)
        return service.json_response(await self.tier.get(dataset, wanted.keys))

    async def put(self, request: Request) -> Response:
        dataset, wanted = _dataset(request), await service.body(request, api.Texts)
        domain.check_texts(dataset, wanted.values.values())
        domain.check_keys(wanted.values)
        await self.tier.put(dataset, wanted.values)
        return Response(status_code=204)

    async def add(self, request: Request) -> Response:
        dataset, wanted = _dataset(request), await service.body(request, api.Additions)
        domain.check_additions(dataset, wanted.additions)
        await self.tier.add(dataset, wanted.additions)
        return Response(status_code=204)

    async def remove(self, request: Request) -> Response:
        dataset, wanted = _dataset(request), await service.body(request, api.Keys)
        domain.check_written(dataset)
        domain.check_keys(wanted.keys)
        await self.tier.remove(dataset, wanted.keys)
        return Response(status_code=204)


def _dataset(request: Request) -> Dataset:
    return domain.dataset(request.path_params["dataset"])
