"""A small disk that is taken back after the machine was started again: what it held is gone, and somebody else may have it."""

from __future__ import annotations

import logging

import pytest

from chaos import disks
from chaos.faults import disk
from chaos.faults.disk import SmallDisk
from reference_app.contract.topology import SMALL, Lab, components
from reference_app.kit import files, roles
from reference_app.kit.home import Home
from reference_app.stack import shards
from reference_app.stack.errors import StackError

ALONE, PAIRED = SmallDisk("users-db-0", boot="before"), SmallDisk("tweets-db-0-primary", boot="before")


@pytest.fixture
def did(home: Home, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What happens to databases and disks. The machine is started anew before an undo: nothing is mounted."""
    noted: list[str] = []
    files.write_json(home.lab_file, Lab(str(home.path), "small", 29_900, components(SMALL, 29_900), "key", "password"))
    monkeypatch.setattr(shards, "hold_down", lambda _control, name: noted.append(f"hold down {name}"))
    monkeypatch.setattr(disk, "bring_back", lambda _home, name: noted.append(f"bring back {name}"))
    monkeypatch.setattr(disks, "put", lambda directory, **_: noted.append(f"put {directory.name} on a disk"))
    monkeypatch.setattr(disks, "boot_id", lambda: "after")
    return noted


def test_what_a_database_without_a_replica_lost_is_told_and_it_goes_on_with_what_it_has(
    home: Home, did: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    ALONE.apply(home)
    did.clear()
    with caplog.at_level(logging.WARNING):
        ALONE.undo(home)
    assert did == ["bring back users-db-0"]
    assert "what was written to it since the preparation is lost" in caplog.text


def test_a_primary_whose_replica_has_what_it_lost_is_left_alone_until_that_was_promoted(home: Home, did: list[str]) -> None:
    PAIRED.apply(home)
    did.clear()
    with pytest.raises(StackError, match=r"`failwhale shard promote tweets-db-0`.*`failwhale shard rebuild tweets-db-0`"):
        PAIRED.undo(home)
    assert did == []
    roles.assign(home.roles_file, "tweets-db-0", "tweets-db-0-replica")
    PAIRED.undo(home)
    assert did == ["bring back tweets-db-0-primary"]


@pytest.mark.parametrize("fault", [ALONE, PAIRED], ids=["without a replica", "with a replica"])
def test_who_was_never_moved_or_is_back_already_has_lost_nothing(
    home: Home, did: list[str], caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch, fault: SmallDisk
) -> None:
    fault.undo(home)
    with monkeypatch.context() as before:
        before.setattr(disks, "boot_id", lambda: fault.boot)
        fault.apply(home)
        fault.undo(home)
    fault.undo(home)
    name = fault.component
    assert did == [f"bring back {name}", f"hold down {name}", f"put {name} on a disk", *[f"bring back {name}"] * 3]
    assert "lost" not in caplog.text


def test_it_is_known_that_a_disk_may_be_there_before_anything_is_done(home: Home, did: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    def ended(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(shards, "hold_down", ended)
    with pytest.raises(KeyboardInterrupt):
        PAIRED.apply(home)
    with pytest.raises(StackError, match="the machine was started again"):
        PAIRED.undo(home)
    assert did == []
