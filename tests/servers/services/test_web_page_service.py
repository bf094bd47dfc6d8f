"""The page at `/`, served by a gateway that has nobody behind it."""

from __future__ import annotations

import base64
import hashlib
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from reference_app.contract import api
from reference_app.kit import deciders
from reference_app.kit.home import Home

BROWSER = {"accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


@pytest.fixture(scope="module")
def gateway(serve: Any) -> Any:
    return serve("gateway")


@pytest.fixture
def client(gateway: Any) -> httpx.Client:
    client: httpx.Client = gateway.client
    return client


@pytest.fixture
def shedding(gateway: Any) -> Iterator[None]:
    """The gateway takes no request."""
    home = Home(Path(gateway.lab.home))
    deciders.write(home, "gateway_concurrency", 0, by="test")
    yield
    home.deciders_file.unlink()


def hashes(page: str, tag: str) -> list[str]:
    return [
        base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in re.findall(f"<{tag}>(.*?)</{tag}>", page, re.DOTALL)
    ]


def wait_until(client: httpx.Client, status: int, **headers: str) -> httpx.Response:
    """Deciders are read again every 0.2 s."""
    for _ in range(100):
        answer = client.get(api.WEB, headers=headers)
        if answer.status_code == status:
            return answer
        time.sleep(0.02)
    pytest.fail(f"never answered {status}")


def test_the_page_is_whole_and_allows_nothing_but_its_own_script_and_style(client: httpx.Client) -> None:
    answer = wait_until(client, 200, **BROWSER)
    policy = answer.headers["content-security-policy"]
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    for tag in ("script", "style"):
        assert [f"'sha256-{found}'" in policy for found in hashes(answer.text, tag)] == [True]
    assert "{{" not in answer.text
    assert f"TEXT_MAX = {api.TEXT_MAX}" in answer.text


def test_the_page_asks_nobody_else_for_anything_and_inserts_no_markup(client: httpx.Client) -> None:
    page = wait_until(client, 200).text
    assert set(re.findall(r"""(?:https?:)?//[\w.]+\w""", page)) <= {"http://www.w3.org"}
    assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(|style=\"|\son\w+=\"", page)


def test_every_field_has_a_label_and_every_reference_a_target(client: httpx.Client) -> None:
    page = wait_until(client, 200).text
    identifiers = re.findall(r'\sid="([\w-]+)"', page)
    assert len(identifiers) == len(set(identifiers))
    labelled = set(re.findall(r'<label[^>]* for="([\w-]+)"', page))
    assert set(re.findall(r'<(?:input|textarea) id="([\w-]+)"', page)) == labelled
    assert set(re.findall(r'href="#([\w-]+)"', page)) | set(re.findall(r'\$\("([\w-]+)"\)', page)) <= set(identifiers)


def test_a_page_that_did_not_change_is_not_sent_again(client: httpx.Client) -> None:
    etag = wait_until(client, 200).headers["etag"]
    again = client.get(api.WEB, headers={"if-none-match": etag})
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", etag)
    assert client.get(api.WEB, headers={"if-none-match": '"other"'}).status_code == 200


@pytest.mark.usefixtures("shedding")
def test_while_the_gateway_sheds_a_browser_is_shown_the_whale(client: httpx.Client) -> None:
    answer = wait_until(client, 503, **BROWSER, **{api.REQUEST_ID: "<b>me</b>"})
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert (answer.headers["retry-after"], answer.headers["cache-control"]) == ("1", "no-store")
    assert 'data-served="503"' in answer.text
    assert "Birds lift a whale" in answer.text
    assert '<code id="whale-request">&lt;b&gt;me&lt;/b&gt;</code>' in answer.text
    for tag in ("script", "style"):
        assert f"'sha256-{hashes(answer.text, tag)[0]}'" in answer.headers["content-security-policy"]


@pytest.mark.usefixtures("shedding")
def test_while_the_gateway_sheds_programs_are_told_in_json(client: httpx.Client, code: Any) -> None:
    wait_until(client, 503)
    for path in (api.WEB, api.HOME, api.TRENDS, api.OPENAPI):
        answer = client.get(path, headers={"accept": "application/json"})
        assert code(answer) == (503, "overloaded")
        assert answer.headers["retry-after"] == "1"
    assert client.get(api.HEALTH).text in ("ok", "warming"), "it is not shed"
