from __future__ import annotations

import pytest

from dashboards.grafana import push


@pytest.mark.parametrize(
    ("url", "api"),
    [
        ("http://127.0.0.1:3000", "http://127.0.0.1:3000/api"),
        ("https://a.example/grafana/", "https://a.example/grafana/api"),
        ("http://[::1]:3000", "http://[::1]:3000/api"),
    ],
)
def test_the_address_that_was_given_is_the_one_that_is_asked(url: str, api: str) -> None:
    assert push.connect(url, "token").api.url == api


@pytest.mark.parametrize("url", ["127.0.0.1:3000", "http://h:abc", "http://h:70000", "http://[::1"])
def test_what_is_no_address_is_refused_with_one_that_is(url: str) -> None:
    with pytest.raises(push.PushError, match="is no address of a Grafana: give one such as"):
        push.connect(url, "token")
