"""Limits on a made-up tree of cgroups, of both versions."""

from __future__ import annotations

from pathlib import Path

import pytest

from chaos import cgroups


@pytest.fixture(params=[1, 2])
def where(request: pytest.FixtureRequest, tmp_path: Path) -> cgroups.Controller:
    if request.param == 1:
        (tmp_path / "cpu").mkdir()
        (tmp_path / "cpu" / "cgroup.procs").touch()
    else:
        (tmp_path / "cgroup.subtree_control").write_text("cpu memory\n")
    found = cgroups.controller("cpu", tmp_path)
    assert found is not None
    assert found.version == request.param
    return found


def test_a_ration_is_written_before_the_processes_are_put_under_it(where: cgroups.Controller) -> None:
    cgroups.limit_cpu(where, "g", 25, [17])
    group = where.directory / "g"
    written = (group / "cpu.cfs_quota_us").read_text() if where.version == 1 else (group / "cpu.max").read_text()
    assert written == ("25000" if where.version == 1 else "25000 100000")
    assert (group / "cgroup.procs").read_text() == "17"
    assert cgroups.exists(where, "g")


def test_memory_is_limited_in_bytes(where: cgroups.Controller) -> None:
    cgroups.limit_memory(where, "g", 64 << 20, [])
    name = "memory.limit_in_bytes" if where.version == 1 else "memory.max"
    assert (where.directory / "g" / name).read_text() == "67108864"


def test_dissolving_what_is_not_there_is_no_error(where: cgroups.Controller) -> None:
    cgroups.dissolve(where, "g")
    assert not cgroups.exists(where, "g")


def test_without_a_controller_there_is_none(tmp_path: Path) -> None:
    assert cgroups.controller("cpu", tmp_path) is None
