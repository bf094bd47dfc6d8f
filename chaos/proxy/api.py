"""Toxiproxy's HTTP API over the registry, and beside it what each proxy did: `GET /effects`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import asdict
from typing import Any, TypeVar

import msgspec
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from chaos.proxy.registry import Change, Proxy, RefusedError, Registry, ToxicChange, Wanted
from chaos.proxy.toxics import OF_TYPE, Toxic

VERSION = "2.12.0"
"""Of the API that is spoken here."""
T = TypeVar("T")
Endpoint = Callable[[Request], Awaitable[Response]]


class Endpoints:
    """Updates are taken as PATCH and, as clients before 2.6 do it, as POST."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry

    def app(self) -> Starlette:
        """The ASGI app."""
        return Starlette(
            routes=[
                Route("/version", self.version, methods=["GET"]),
                Route("/effects", self.effects, methods=["GET"]),
                Route("/reset", self.reset, methods=["POST"]),
                Route("/populate", self.populate, methods=["POST"]),
                Route("/proxies", self.proxies, methods=["GET"]),
                Route("/proxies", self.create, methods=["POST"]),
                Route("/proxies/{proxy}", self.proxy, methods=["GET"]),
                Route("/proxies/{proxy}", self.change, methods=["POST", "PATCH"]),
                Route("/proxies/{proxy}", self.delete, methods=["DELETE"]),
                Route("/proxies/{proxy}/toxics", self.toxics, methods=["GET"]),
                Route("/proxies/{proxy}/toxics", self.add, methods=["POST"]),
                Route("/proxies/{proxy}/toxics/{toxic}", self.toxic, methods=["GET"]),
                Route("/proxies/{proxy}/toxics/{toxic}", self.update, methods=["POST", "PATCH"]),
                Route("/proxies/{proxy}/toxics/{toxic}", self.remove, methods=["DELETE"]),
            ],
            exception_handlers={RefusedError: _refused},
        )

    async def version(self, _: Request) -> Response:
        return _json({"version": VERSION})

    async def effects(self, _: Request) -> Response:
        return _json({name: asdict(proxy.effect) for name, proxy in self._registry.proxies.items()})

    async def reset(self, _: Request) -> Response:
        await self._registry.reset()
        return Response(status_code=204)

    async def populate(self, request: Request) -> Response:
        made = await self._registry.populate(await _body(request, list[Wanted]))
        return _json({"proxies": [_told(proxy) for proxy in made]}, 201)

    async def proxies(self, _: Request) -> Response:
        return _json({name: _told(proxy) for name, proxy in self._registry.proxies.items()})

    async def create(self, request: Request) -> Response:
        return _json(_told(await self._registry.create(await _body(request, Wanted))), 201)

    async def proxy(self, request: Request) -> Response:
        return _json(_told(self._named(request)))

    async def change(self, request: Request) -> Response:
        proxy = self._named(request)
        await proxy.change(await _body(request, Change))
        return _json(_told(proxy))

    async def delete(self, request: Request) -> Response:
        await self._registry.delete(request.path_params["proxy"])
        return Response(status_code=204)

    async def toxics(self, request: Request) -> Response:
        return _json([_shown(toxic) for toxic in self._named(request).toxics])

    async def add(self, request: Request) -> Response:
        return _json(_shown(self._named(request).add(await _body(request, Toxic))))

    async def toxic(self, request: Request) -> Response:
        return _json(_shown(self._named(request).toxic(request.path_params["toxic"])))

    async def update(self, request: Request) -> Response:
        change = await _body(request, ToxicChange)
        return _json(_shown(self._named(request).update(request.path_params["toxic"], change)))

    async def remove(self, request: Request) -> Response:
        self._named(request).remove(request.path_params["toxic"])
        return Response(status_code=204)

    def _named(self, request: Request) -> Proxy:
        return self._registry.proxy(request.path_params["proxy"])


async def _body(request: Request, shape: type[T]) -> T:
    try:
        return msgspec.json.decode(await request.body(), type=shape)
    except msgspec.MsgspecError as error:
        raise RefusedError(400, f"bad request body: {error}") from error


def _told(proxy: Proxy) -> dict[str, Any]:
    shown = [_shown(toxic) for toxic in proxy.toxics]
    return {"name": proxy.name, "listen": proxy.listen, "upstream": proxy.upstream, "enabled": proxy.enabled, "toxics": shown}


def _shown(toxic: Toxic) -> dict[str, Any]:
    attributes = {name: getattr(toxic.attributes, name) for name in OF_TYPE[toxic.type]}
    return {"attributes": attributes, "name": toxic.name, "type": toxic.type, "stream": toxic.stream, "toxicity": toxic.toxicity}


def _json(value: object, status: int = 200) -> Response:
    return Response(msgspec.json.encode(value), status, media_type="application/json")


async def _refused(_: Request, error: Exception) -> Response:
    status = error.status if isinstance(error, RefusedError) else 500
    return _json({"error": str(error), "status": status}, status)
