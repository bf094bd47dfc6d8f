"""The web page at `/`: one file, cached whole, under a policy that lets nothing but itself run; while the gateway sheds, it is the fail whale."""

from __future__ import annotations

import base64
import hashlib
import html
import re
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from reference_app.contract import api
from reference_app.kit import errors, http
from reference_app.services.gateway.shedding import Shedding

_CONSTANTS = {name: str(getattr(api, name)) for name in ("TEXT_MAX", "QUERY_MAX", "PASSWORD_MIN", "PASSWORD_MAX")}
_REQUEST_ID = "{{REQUEST_ID}}"
_POLICY = (
    "default-src 'none'; script-src {script}; style-src {style}; connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
)


class Page:
    """Everything is computed once; a request costs a comparison."""

    def __init__(self, shedding: Shedding) -> None:
        self._shedding = shedding
        source = (Path(__file__).parent / "web.html").read_text()
        self._whale = _filled(source, _CONSTANTS | {"STATUS": "503", "HIDDEN": ""})
        self._page = _filled(source, _CONSTANTS | {"STATUS": "200", "HIDDEN": "hidden"}).replace(_REQUEST_ID, "").encode()
        self._etag = f'"{hashlib.sha256(self._page).hexdigest()[:32]}"'
        self._headers = {
            "content-security-policy": _policy(self._page.decode()),
            "x-content-type-options": "nosniff",
            "referrer-policy": "no-referrer",
        }

    def routes(self) -> list[Route]:
        return [Route(api.WEB, self.read, methods=["GET"])]

    async def read(self, request: Request) -> Response:
        try:
            self._shedding.check("GET", api.WEB)
        except errors.AppError as error:
            if "text/html" not in request.headers.get("accept", ""):
                raise
            return self._refusal(error)
        headers = {"etag": self._etag, "cache-control": "no-cache"}
        if self._etag in request.headers.get("if-none-match", ""):
            return Response(status_code=304, headers=headers)
        return Response(self._page, headers=self._headers | headers, media_type="text/html")

    def _refusal(self, error: errors.AppError) -> Response:
        content = self._whale.replace(_REQUEST_ID, html.escape(http.request_id.get()))
        headers = self._headers | {"cache-control": "no-store", "retry-after": str(max(1, round(error.retry_after or 1)))}
        return Response(content, error.status, headers, "text/html")


def _filled(source: str, values: dict[str, str]) -> str:
    for name, value in values.items():
        source = source.replace(f"{{{{{name}}}}}", value)
    return source


def _policy(page: str) -> str:
    """Script and style are allowed by their hashes. Both are the same on the page and on the whale."""
    return _POLICY.format(script=_hash(page, "script"), style=_hash(page, "style"))


def _hash(page: str, tag: str) -> str:
    inner = re.findall(f"<{tag}>(.*?)</{tag}>", page, re.DOTALL)
    return " ".join(f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'" for text in inner)
