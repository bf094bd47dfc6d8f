from __future__ import annotations

import pytest

from loadgen import target


@pytest.mark.parametrize("url", ["http://127.0.0.1:18000", "http://localhost:18000/", "http://[::1]:8080", "https://127.8.8.8"])
def test_this_machine_is_a_target(url: str) -> None:
    assert target.refusal(url, anywhere=False) == ""


@pytest.mark.parametrize(
    "url",
    ["http://example.com", "http://10.0.0.7:18000", "http://127.0.0.1.example.com", "http://localhost@example.com", "http://0.0.0.0:1"],
)
def test_anything_else_is_one_only_when_that_was_allowed(url: str) -> None:
    assert "is not this machine" in target.refusal(url, anywhere=False)
    assert target.refusal(url, anywhere=True) == ""


@pytest.mark.parametrize("url", ["", "127.0.0.1:18000", "ftp://127.0.0.1", "http://", "http://[::1", "http://127.0.0.1:abc"])
def test_what_is_no_address_is_never_a_target(url: str) -> None:
    assert "is no address" in target.refusal(url, anywhere=True)
