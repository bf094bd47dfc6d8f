"""The OpenAPI document and the app say the same."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from reference_app.contract import api
from reference_app.instrumentation import service
from reference_app.instrumentation.recorder import Recorder
from reference_app.kit.deciders import Deciders
from reference_app.services.gateway import app, openapi
from reference_app.services.gateway.callees import Callees
from reference_app.services.gateway.daily_limits import DailyLimits

NOBODY: Any = None


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    return openapi.document()


@pytest.fixture
def routes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> set[tuple[str, str]]:
    """Method and path of everything that the gateway serves, as its router is given them."""
    monkeypatch.setattr(service, "Router", list)
    callees = Callees(tweets=NOBODY, users=NOBODY, graph=NOBODY, timelines=NOBODY, search=NOBODY, keyvalue=NOBODY)
    deciders, recorder = Deciders(tmp_path / "deciders.json"), Recorder()
    limits = DailyLimits(tmp_path / "limits.json", deciders, recorder)
    built: Any = app.build(callees=callees, recorder=recorder, deciders=deciders, limits=limits, signing_key="k")
    return {(method.lower(), route.path) for route in built._router for method in route.methods - {"HEAD"}}


def operations(document: dict[str, Any]) -> dict[tuple[str, str], dict[str, Any]]:
    return {(method, path): described for path, methods in document["paths"].items() for method, described in methods.items()}


def test_every_route_is_in_the_document_and_nothing_else_is(document: dict[str, Any], routes: set[tuple[str, str]]) -> None:
    assert set(operations(document)) == routes


def test_every_reference_leads_somewhere_and_every_schema_is_one(document: dict[str, Any]) -> None:
    assert document["openapi"].startswith("3.1.")
    for reference in re.findall(r"'#/([^']+)'", str(document)):
        found: Any = document
        for part in reference.split("/"):
            found = found[part]
    for schema in document["components"]["schemas"].values():
        jsonschema.Draft202012Validator.check_schema(schema)


def test_every_parameter_of_a_path_is_described(document: dict[str, Any]) -> None:
    for (_, path), operation in operations(document).items():
        described = {parameter["name"] for parameter in operation.get("parameters", []) if parameter["in"] == "path"}
        assert described == set(re.findall(r"{(\w+)}", path))


def test_every_error_names_its_codes_and_every_code_is_under_its_status(document: dict[str, Any]) -> None:
    seen = set()
    for operation in operations(document).values():
        for status, answer in operation["responses"].items():
            if int(status) >= 400:
                codes = answer["content"]["application/json"]["schema"]["allOf"][1]["properties"]["error"]["properties"]["code"]["enum"]
                assert {api.ERROR_CODES[code] for code in codes} == {int(status)}
                assert api.REQUEST_ID in answer["headers"]
                assert ("retry-after" in answer["headers"]) == (status in ("429", "503"))
                seen.update(codes)
    assert seen == set(api.ERROR_CODES) - {"internal", "method_not_allowed"}


def test_bounds_are_those_of_the_contract(document: dict[str, Any]) -> None:
    parameters = {
        parameter["name"]: parameter for operation in operations(document).values() for parameter in operation.get("parameters", [])
    }
    limit, key = parameters["limit"]["schema"], parameters[api.IDEMPOTENCY_KEY]
    assert (limit["minimum"], limit["maximum"], limit["default"]) == (1, api.PAGE_MAX, api.PAGE_DEFAULT)
    assert (key["in"], key["required"], key["schema"]["maxLength"]) == ("header", True, api.KEY_MAX)
    assert parameters["q"]["schema"]["maxLength"] == api.QUERY_MAX
    assert str(api.TEXT_MAX) in document["components"]["schemas"]["NewTweet"]["properties"]["text"]["description"]


def test_what_needs_a_token_says_so(document: dict[str, Any]) -> None:
    for operation in operations(document).values():
        assert ("401" in operation["responses"] and operation["operationId"] != "post_tokens") == ("security" in operation)
