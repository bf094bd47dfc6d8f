"""From a request to its endpoint by a tree of path segments, 2 us where Starlette's application, which tries route after route, takes 30 (docs/adr/0014)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Scope

from reference_app.kit import errors

Endpoint = Callable[[Request], Awaitable[Response]]


@dataclass
class _Node:
    """What may follow a path so far: a literal segment, or any (`{name}`), and by method what stands here: (endpoint, template, names of the path's parameters)."""

    literal: dict[str, _Node] = field(default_factory=dict)
    anything: _Node | None = None
    here: dict[str, tuple[Endpoint, str, list[str]]] = field(default_factory=dict)


class Router:
    """A literal segment goes before a parameter."""

    def __init__(self, routes: Sequence[Route]) -> None:
        self._root = _Node()
        for route in routes:
            self._add(route)

    def find(self, scope: Scope) -> tuple[Endpoint, str]:
        """The endpoint of a request and its route template; sets the scope's path parameters. Raises AppError not_found or method_not_allowed."""
        node, values = self._find(scope["path"])
        if node is None or not node.here:
            raise errors.AppError("not_found", "Not Found")
        if scope["method"] not in node.here:
            raise errors.AppError("method_not_allowed", "Method Not Allowed")
        endpoint, template, names = node.here[scope["method"]]
        scope["path_params"] = dict(zip(names, values, strict=True))
        return endpoint, template

    def allowed(self, path: str) -> str:
        """Methods that a path may be asked with."""
        node, _ = self._find(path)
        return ", ".join(sorted(node.here)) if node is not None else ""

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
        node.here |= dict.fromkeys(route.methods or (), (route.endpoint, route.path, names))
