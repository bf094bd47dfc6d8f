"""Who is the primary of each shard."""

from __future__ import annotations

from pathlib import Path

from reference_app.contract.topology import SMALL, Lab, components
from reference_app.kit import files, roles
from reference_app.kit.home import Home

SHARD, BORN, PROMOTED = "tweets-db-0", "tweets-db-0-primary", "tweets-db-0-replica"


def test_a_lab_that_was_read_has_the_roles_of_now_and_keeps_its_names(tmp_path: Path) -> None:
    home = Home(tmp_path)
    files.write_json(home.lab_file, Lab(str(tmp_path), "small", 21000, components(SMALL, 21000), "key", "secret"))
    assert [c.name for c in home.lab().shard(SHARD) if c] == [BORN, PROMOTED]
    roles.assign(home.roles_file, SHARD, PROMOTED)
    assert [c.name for c in home.lab().shard(SHARD) if c] == [PROMOTED, BORN]
    assert {c.name for c in home.lab().components if c.swapped} == {BORN, PROMOTED}
    assert home.lab().shard("users-db-0")[1] is None


def test_processes_follow_a_promotion_within_a_poll(tmp_path: Path) -> None:
    now = [0.0]
    watched = roles.Roles(tmp_path / "roles.json", monotonic=lambda: now[0])
    assert watched.primary_of(SHARD) is None
    roles.assign(tmp_path / "roles.json", SHARD, PROMOTED)
    assert watched.primary_of(SHARD) is None
    now[0] = roles.POLL_SECONDS
    assert watched.primary_of(SHARD) == PROMOTED


def test_a_broken_file_changes_nobodys_role(tmp_path: Path) -> None:
    now, file = [0.0], tmp_path / "roles.json"
    roles.assign(file, SHARD, PROMOTED)
    watched = roles.Roles(file, monotonic=lambda: now[0])
    assert watched.primary_of(SHARD) == PROMOTED
    file.write_text("{")
    now[0] = 1.0
    assert watched.primary_of(SHARD) == PROMOTED


def test_a_file_that_cannot_be_opened_changes_nobodys_role(tmp_path: Path) -> None:
    now, file = [0.0], tmp_path / "roles.json"
    roles.assign(file, SHARD, PROMOTED)
    watched = roles.Roles(file, monotonic=lambda: now[0])
    assert watched.primary_of(SHARD) == PROMOTED
    file.unlink()
    file.mkdir()
    now[0] = 1.0
    assert watched.primary_of(SHARD) == PROMOTED
