from __future__ import annotations

import pytest

from reference_app.kit import addresses


@pytest.mark.parametrize(
    ("url", "host", "port"),
    [("http://127.0.0.1:3000/", "127.0.0.1", 3000), ("https://a.example/grafana", "a.example", None), ("http://[::1]:3000", "::1", 3000)],
)
def test_an_address_is_taken_apart(url: str, host: str, port: int | None) -> None:
    parts = addresses.web(url)
    assert parts is not None
    assert (parts.hostname, parts.port) == (host, port)


@pytest.mark.parametrize(
    "url", ["", "localhost:3000", "ftp://a", "http://", "http://h:abc", "http://h:70000", "http://h:-1", "http://[::1", "http://[x]"]
)
def test_what_is_no_address_has_no_parts(url: str) -> None:
    assert addresses.web(url) is None
