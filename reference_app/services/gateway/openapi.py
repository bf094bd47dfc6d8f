"""The OpenAPI 3.1 document of the public API, written from its operations, the contract's bounds and the shapes themselves."""

from __future__ import annotations

import collections
from dataclasses import dataclass
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from reference_app.contract import api, consistency
from reference_app.services.gateway.operations import OPERATIONS, Operation

VERSION = "1"
_REF = "#/components/schemas/{name}"
_ID = {"type": "integer", "minimum": 1, "maximum": api.MAX_ID}
_PARAMETERS: dict[str, dict[str, Any]] = {
    "limit": {"type": "integer", "minimum": 1, "maximum": api.PAGE_MAX, "default": api.PAGE_DEFAULT},
    "cursor": _ID | {"description": "`next_cursor` of the page before; without it the newest"},
    "q": {"type": "string", "maxLength": api.QUERY_MAX, "pattern": "\\w", "description": "words, #hashtags, @handles; at least one"},
    "handle": {"type": "string", "pattern": f"^{api.HANDLE_PATTERN}$"},
    "tweet_id": _ID,
    "user_id": _ID,
}
_KEY = {
    "type": "string", "minLength": 1, "maxLength": api.KEY_MAX, "pattern": f"^(?!{api.RETWEET_KEY})[!-~]([ -~]*[!-~])?$",
    "description": "a new random one with each new tweet; the same one when a post is sent again",
}  # fmt: skip
_OWN = {
    "type": "string", "maxLength": consistency.LENGTH_MAX, "pattern": f"^{consistency.PATTERN}$",
    "description": "from the answer to the last post: what is read then includes it, or says that it may not",
}  # fmt: skip
_BOUNDS: dict[str, dict[str, dict[str, Any]]] = {
    "Credentials": {
        "handle": {"pattern": f"^{api.HANDLE_PATTERN}$"},
        "password": {"minLength": api.PASSWORD_MIN, "maxLength": api.PASSWORD_MAX},
    },
    "NewTweet": {
        "text": {"pattern": "\\S", "description": f"a weighted length of at most {api.TEXT_MAX}: CJK and emoji weigh 2, a link 23"},
        "in_reply_to": {"pattern": "^([1-9][0-9]{0,17}|[1-8][0-9]{18})$"},
    },
}
_HEADERS: dict[str, dict[str, Any]] = {
    api.REQUEST_ID: {"description": "also in the body of an error, and in the logs", "required": True, "schema": {"type": "string"}},
    api.IDEMPOTENCY_REPLAYED: {"description": "the key had been stored before: this is that tweet", "schema": {"const": "true"}},
    api.CONSISTENCY: {
        "description": "brought along by the next post and by reads that have to see this one",
        "schema": {"type": "string"},
    },
    "retry-after": {"description": "seconds", "schema": {"type": "integer", "minimum": 1}},
}
_COME_AGAIN = (429, 503)


@dataclass(frozen=True)
class ProblemDetail:
    """`retry_after` in seconds, where trying again makes sense."""

    code: str
    message: str
    retry_after: float | msgspec.UnsetType = msgspec.UNSET


@dataclass(frozen=True)
class Problem:
    """Every answer from 400 on."""

    error: ProblemDetail
    request_id: str


class Endpoint:
    """Serves the document; it is encoded once."""

    def __init__(self) -> None:
        self._content = msgspec.json.encode(document())

    def routes(self) -> list[Route]:
        return [Route(api.OPENAPI, self.read, methods=["GET"])]

    async def read(self, _request: Request) -> Response:
        return Response(self._content, media_type="application/json")


def document() -> dict[str, Any]:
    """The whole document."""
    paths: dict[str, dict[str, Any]] = collections.defaultdict(dict)
    for operation in OPERATIONS:
        paths[operation.path][operation.method] = _operation(operation)
    return {
        "openapi": "3.1.0",
        "info": {"title": "failwhale", "version": VERSION, "description": "Ids are decimal strings in bodies; times are RFC 3339 in UTC."},
        "paths": paths,
        "components": {"schemas": _schemas(), "headers": _HEADERS, "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}}},
    }


def _operation(operation: Operation) -> dict[str, Any]:
    described: dict[str, Any] = {
        "operationId": operation.name,
        "summary": operation.summary,
        "tags": [operation.tag],
    }
    if parameters := _parameters(operation):
        described["parameters"] = parameters
    if operation.body is not None:
        described["requestBody"] = {"required": True, "content": {"application/json": {"schema": _schema(operation.body)}}}
    if operation.signed_in:
        described["security"] = [{"token": []}]
    return described | {"responses": _answers(operation) | _errors(operation)}


def _parameters(operation: Operation) -> list[dict[str, Any]]:
    in_path = [part[1:-1] for part in operation.path.split("/") if part.startswith("{")]
    named = [(name, "path") for name in in_path] + [(name, "query") for name in operation.query]
    parameters = [{"name": n, "in": where, "required": where == "path" or n == "q", "schema": _PARAMETERS[n]} for n, where in named]
    keyed = {"name": api.IDEMPOTENCY_KEY, "in": "header", "required": True, "schema": _KEY}
    own = {"name": api.CONSISTENCY, "in": "header", "required": False, "schema": _OWN}
    return [*parameters, *([keyed] if operation.keyed else ()), *([own] if operation.own else ())]


def _answers(operation: Operation) -> dict[str, Any]:
    names = [api.REQUEST_ID] if operation.errors else []
    names += [api.IDEMPOTENCY_REPLAYED, api.CONSISTENCY] if 201 in operation.answers and operation.signed_in else []
    described: dict[str, Any] = {"description": operation.summary, "headers": _headers(names)}
    if operation.creates:
        described["links"] = _links(operation.creates)
    return {str(status): described | _content(shape) for status, shape in operation.answers.items()}


def _links(parameter: str) -> dict[str, Any]:
    """What can be done with the id of a thing that was made."""
    takers = [operation for operation in OPERATIONS if f"{{{parameter}}}" in operation.path]
    return {taker.name: {"operationId": taker.name, "parameters": {parameter: "$response.body#/id"}} for taker in takers}


def _headers(names: list[str]) -> dict[str, Any]:
    return {name: {"$ref": f"#/components/headers/{name}"} for name in names}


def _content(shape: Any) -> dict[str, Any]:
    if shape is None:
        return {}
    if isinstance(shape, str):
        return {"content": {shape: {"schema": {"type": "object" if shape == "application/json" else "string"}}}}
    return {"content": {"application/json": {"schema": _schema(shape)}}}


def _errors(operation: Operation) -> dict[str, Any]:
    """One response per status; its schema names the codes that this operation may give."""
    codes: dict[int, list[str]] = collections.defaultdict(list)
    for code in operation.errors:
        codes[api.ERROR_CODES[code]].append(code)
    return {str(status): _error(status, named) for status, named in sorted(codes.items())}


def _error(status: int, codes: list[str]) -> dict[str, Any]:
    narrowed = {"properties": {"error": {"properties": {"code": {"enum": codes}}}}}
    schema = {"allOf": [_schema(Problem), narrowed]}
    headers = _headers([api.REQUEST_ID, *(["retry-after"] if status in _COME_AGAIN else [])])
    return {"description": ", ".join(codes), "headers": headers, "content": {"application/json": {"schema": schema}}}


def _schema(shape: Any) -> dict[str, str]:
    return {"$ref": _REF.format(name=shape.__name__)}


def _schemas() -> dict[str, Any]:
    shapes = {operation.body for operation in OPERATIONS} | {shape for operation in OPERATIONS for shape in operation.answers.values()}
    _, schemas = msgspec.json.schema_components([*(s for s in shapes if isinstance(s, type)), Problem], ref_template=_REF)
    for name, bounds in _BOUNDS.items():
        for field, bound in bounds.items():
            schemas[name]["properties"][field] |= bound
    return dict(sorted(schemas.items()))
