"""A small disk over a directory: full when it is full, and gone without a trace and without a loss, wherever somebody was interrupted."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from chaos import disks

pytestmark = pytest.mark.skipif(bool(disks.why_not()), reason=disks.why_not())
ROOM = 64 << 10


@pytest.fixture
def directory(tmp_path: Path) -> Iterator[Path]:
    data = tmp_path / "data"
    data.mkdir()
    (data / "table").write_text("before")
    yield data
    disks.take_away(data)
    assert not disks.mounted(data)


def beside(directory: Path) -> set[str]:
    return {entry.name for entry in directory.parent.iterdir()}


def test_what_is_there_moves_and_what_is_written_meets_the_end_of_the_disk(directory: Path) -> None:
    disks.put(directory, room_bytes=ROOM)
    assert (directory / "table").read_text() == "before"
    assert 0 < disks.free(directory) <= 2 * ROOM
    with pytest.raises(OSError, match="No space left"), (directory / "more").open("wb") as file:
        file.write(bytes(4 * ROOM))


def test_what_was_written_meanwhile_is_there_when_the_disk_is_taken_away(directory: Path) -> None:
    disks.put(directory, room_bytes=ROOM)
    (directory / "table").write_text("after")
    disks.take_away(directory)
    assert (directory / "table").read_text() == "after"
    assert beside(directory) == {"data"}


def test_taking_away_what_was_never_put_changes_nothing(directory: Path) -> None:
    disks.take_away(directory)
    assert (directory / "table").read_text() == "before"


def test_who_was_interrupted_before_the_disk_was_in_place_leaves_the_directory_as_it_was(directory: Path) -> None:
    scratch = directory.with_name(".data.disk")
    scratch.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "failwhale", str(scratch)], check=True)
    (scratch / "table").write_text("half a cop")
    disks.take_away(directory)
    assert (directory / "table").read_text() == "before"
    assert beside(directory) == {"data"}


def test_a_copy_that_was_not_finished_is_made_again_from_the_disk(directory: Path) -> None:
    disks.put(directory, room_bytes=ROOM)
    (directory / "table").write_text("after")
    for name in ("returning", "returned"):
        stale = directory.with_name(f".data.{name}")
        stale.mkdir()
        (stale / "table").write_text("older")
    disks.take_away(directory)
    assert (directory / "table").read_text() == "after"
    assert beside(directory) == {"data"}


def test_a_copy_that_outlived_who_began_it_and_was_killed_is_not_mixed_with_ours(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    disks.put(directory, room_bytes=ROOM)
    (directory / "table").write_text("after")
    written_to = directory.with_name(".data.returning")
    written_to.mkdir()
    remove = shutil.rmtree
    monkeypatch.setattr(shutil, "rmtree", lambda path, **how: None if path == written_to else remove(path, **how))
    disks.take_away(directory)
    assert [(entry.name, entry.read_text()) for entry in directory.iterdir()] == [("table", "after")]


def test_a_finished_copy_takes_the_place_of_the_directory_when_the_disk_is_gone(directory: Path) -> None:
    returned = directory.with_name(".data.returned")
    returned.mkdir()
    (returned / "table").write_text("after")
    disks.take_away(directory)
    assert (directory / "table").read_text() == "after"
    assert beside(directory) == {"data"}
