"""Missing servers are listed with the packages that bring them."""

from __future__ import annotations

from pathlib import Path

import pytest

from reference_app.stack import errors, servers


def test_all_servers_are_found_in_the_sbin_directories_too() -> None:
    assert set(servers.locate()) == set(servers.PACKAGES)


def test_a_lab_needs_haproxy_only_when_it_has_an_edge() -> None:
    assert "haproxy" not in servers.PACKAGES
    assert set(servers.locate(edge=True)) == {*servers.PACKAGES, "haproxy"}


def test_every_missing_server_is_named_with_one_command_that_installs_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(servers, "PACKAGES", {"no-such-server": "a-package", "nor-this": "b-package"})
    with pytest.raises(errors.MissingServersError) as missing:
        servers.locate(str(tmp_path))
    assert "no-such-server, nor-this" in str(missing.value)
    assert "apt-get install --no-install-recommends a-package b-package" in str(missing.value)
