"""HTTP of the timelines service."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from reference_app.contract import api
from reference_app.contract.api import Internal
from reference_app.instrumentation import service
from reference_app.services.timelines.reading import Reading
from reference_app.services.timelines.simulated_workers import SimulatedWorkers


def routes(reading: Reading, workers: SimulatedWorkers) -> list[Route]:
    """Routes over the reader, whose pages need a worker where there are any."""

    async def home(request: Request) -> Response:
        user_id = service.path_id(request, "user_id")
        limit = service.integer(request, "limit", default=api.PAGE_DEFAULT, low=1, high=api.PAGE_MAX)
        cursor = service.integer(request, "cursor", default=0, low=1, high=api.MAX_ID)
        page = await workers.run(lambda: reading.home(user_id, limit=limit, cursor=cursor or None))
        return service.json_response(page)

    async def forget(request: Request) -> Response:
        await reading.forget(service.path_id(request, "user_id"))
        return Response(status_code=204)

    return [Route(Internal.HOME, home, methods=["GET"]), Route(Internal.HOME, forget, methods=["DELETE"])]
