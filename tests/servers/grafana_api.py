"""A server that speaks the part of Grafana's HTTP API that is used here, as grafana.com documents it (data source, dashboard, annotations)."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import parse_qs, urlsplit

TOKEN = "glsa_secret"
Answer = tuple[int, Any]


@dataclass
class Grafana:
    """What it keeps, and what it was asked: (method, path)."""

    sources: dict[str, dict[str, Any]] = field(default_factory=dict)
    dashboards: dict[str, dict[str, Any]] = field(default_factory=dict)
    annotations: list[dict[str, Any]] = field(default_factory=list)
    asked: list[tuple[str, str]] = field(default_factory=list)

    def answer(self, method: str, target: str, body: dict[str, Any]) -> Answer:
        self.asked.append((method, target))
        url = urlsplit(target)
        match method, url.path.removeprefix("/api").split("/")[1:]:
            case _, ["datasources", *rest]:
                return self._of_sources(method, rest, body)
            case "POST", ["dashboards", "db"]:
                return self._save(body)
            case "GET", ["annotations"]:
                return 200, self._find(parse_qs(url.query))
            case "POST", ["annotations"]:
                return self._annotate(body)
        return 404, {"message": "Not found"}

    def _of_sources(self, method: str, rest: list[str], body: dict[str, Any]) -> Answer:
        match method, rest:
            case "GET", ["name", name]:
                return (200, self.sources[name]) if name in self.sources else (404, {"message": "Data source not found"})
            case "POST", []:
                return self._create_source(body)
            case "PUT", [number]:
                (known,) = (source for source in self.sources.values() if str(source["id"]) == number)
                known.update(body)
                return 200, {"datasource": known, "id": known["id"], "message": "Datasource updated", "name": known["name"]}
        return 404, {"message": "Not found"}

    def _create_source(self, body: dict[str, Any]) -> Answer:
        if missing := {"name", "type", "access", "url"} - body.keys():
            return 400, {"message": f"bad request data: {sorted(missing)}"}
        self.sources[body["name"]] = body | {"id": len(self.sources) + 1}
        return 200, {"datasource": body, "id": len(self.sources), "message": "Datasource added", "name": body["name"]}

    def _save(self, body: dict[str, Any]) -> Answer:
        board = body["dashboard"]
        known = self.dashboards.get(board["uid"])
        if not board["title"]:
            return 400, {"message": "Dashboard title cannot be empty", "status": "empty-name"}
        if known is not None and not body.get("overwrite"):
            return 412, {"message": "A dashboard with the same uid already exists", "status": "version-mismatch"}
        version = 1 + (known["version"] if known else 0)
        self.dashboards[board["uid"]] = board | {"version": version}
        return 200, {"id": 1, "uid": board["uid"], "url": f"/d/{board['uid']}", "status": "success", "version": version, "slug": "s"}

    def _find(self, asked: dict[str, list[str]]) -> list[dict[str, Any]]:
        began, ended = (int(asked[key][0]) for key in ("from", "to"))
        tags = set(asked.get("tags", ()))
        return [one for one in self.annotations if tags <= set(one["tags"]) and began <= one["timeEnd"] and one["time"] <= ended]

    def _annotate(self, body: dict[str, Any]) -> Answer:
        if not body.get("text"):
            return 400, {"message": "Failed to save annotation: text field should not be empty"}
        self.annotations.append(body | {"id": len(self.annotations) + 1})
        return 200, {"message": "Annotation added", "id": len(self.annotations)}


def handler(grafana: Grafana) -> type[BaseHTTPRequestHandler]:
    """Answers for that Grafana."""

    class Handler(BaseHTTPRequestHandler):
        def _answer(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers.get("content-length") or 0)) or b"{}")
            allowed = self.headers.get("authorization") == f"Bearer {TOKEN}"
            status, said = grafana.answer(self.command, self.path, body or {}) if allowed else (401, {"message": "Invalid API key"})
            content = json.dumps(said).encode()
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_PUT = _answer  # noqa: N815

        def log_message(self, *_: object) -> None:
            """Nothing is printed."""

    return Handler
