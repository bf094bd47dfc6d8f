"""From a request to its endpoint by a tree of path segments, 2 us where Starlette's application, which tries route after route, takes 30 (docs/adr/0014)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from reference_app.instrumentation import middleware
from reference_app.kit import errors


@dataclass
class _Node:
    """What may follow a path so far: a literal segment, or any (`{name}`), and by method what stands here: (endpoint, names of the path's parameters)."""

    literal: dict[str, _Node] = field(default_factory=dict)
    anything: _Node | None = None
    here: dict[str, tuple[Any, list[str]]] = field(default_factory=dict)


class Router:
    """An ASGI app over routes. A literal segment goes before a parameter; AppErrors of endpoints are answered as JSON."""

    def __init__(self, routes: Sequence[Route]) -> None:
        self._root = _Node()
        for route in routes:
            self._add(route)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        response = await self.answer(scope, receive, send)
        await response(scope, receive, send)

    async def answer(self, scope: Scope, receive: Receive, send: Send) -> Response:
        """The answer to a request, yet to be sent."""
        try:
            response: Response = await self._endpoint(scope)(Request(scope, receive, send))
        except errors.AppError as error:
            scope[middleware.ERROR_CODE] = error.code
            response = middleware.error_response(error)
            if error.code == "method_not_allowed":
                response.headers["allow"] = self._allowed(scope["path"])
        return response

    def _endpoint(self, scope: Scope) -> Any:
        """Sets the scope's endpoint and path parameters. Raises AppError not_found or method_not_allowed."""
        node, values = self._find(scope["path"])
        if node is None or not node.here:
            raise errors.AppError("not_found", "Not Found")
        if scope["method"] not in node.here:
            raise errors.AppError("method_not_allowed", "Method Not Allowed")
        scope["endpoint"], names = node.here[scope["method"]]
        scope["path_params"] = dict(zip(names, values, strict=True))
        return scope["endpoint"]

    def _find(self, path: str) -> tuple[_Node | None, list[str]]:
        """The node of the path, if there is one, and the values of its parameters."""
        node = self._root
        values: list[str] = []
        for segment in path.split("/")[1:]:
            below = node.literal.get(segment)
            if below is None:
                below = node.anything
                if below is None or not segment:
                    return None, values
                values.append(segment)
            node = below
        return node, values

    def _allowed(self, path: str) -> str:
        node, _ = self._find(path)
        return ", ".join(sorted(node.here)) if node is not None else ""

    def _add(self, route: Route) -> None:
        node = self._root
        names: list[str] = []
        for segment in route.path.split("/")[1:]:
            if segment.startswith("{"):
                names.append(segment[1:-1])
                node.anything = node.anything or _Node()
                node = node.anything
            else:
                node = node.literal.setdefault(segment, _Node())
        node.here |= dict.fromkeys(route.methods or (), (route.endpoint, names))
