"""What a restore gives up, and what a promotion that fails leaves behind: the decisions, without a database."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from reference_app.contract.topology import SMALL, Lab, components
from reference_app.kit import files
from reference_app.kit.home import Home
from reference_app.stack import backup, binlog, bootstrap, errors, promotion, restoring
from reference_app.stack.backup import Backup
from reference_app.stack.binlog import Transaction
from reference_app.stack.gtid import Gtid

SHARD = "tweets-db-0"


@pytest.fixture
def home(tmp_path: Path) -> Home:
    lab = Lab(str(tmp_path), "small", 21000, components(SMALL, 21000), "key", "secret")
    files.write_json(tmp_path / "lab.json", lab)
    return Home(tmp_path)


def test_what_is_given_up_is_all_from_the_cut_on_whatever_its_statements_say_of_the_time(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    logged = [Transaction(Gtid(0, 1, number), f"0-1-{number - 1}", at) for number, at in ((1, 10), (2, 11), (3, 10), (4, 12))]
    monkeypatch.setattr(binlog, "read", lambda *_: iter(logged))
    monkeypatch.setattr(backup, "list_all", lambda *_: [Backup("b", SHARD, "x", 0.0, "", 1, 1.0)])
    course = restoring.before(home, SHARD, 11)
    assert (course.until, [str(one.gtid) for one in course.dropped]) == ("0-1-1", ["0-1-2", "0-1-3", "0-1-4"])


class Processes:
    """What a promotion does to the processes of a lab."""

    def __init__(self, home: Home, *, running: bool) -> None:
        self.home, self.lab, self.running = home, home.lab(), running
        self.done: list[str] = []

    def runs(self, _name: str) -> bool:
        return self.running

    def kill_and_hold(self, name: str) -> None:
        self.done.append(f"held {name}")

    def start(self, name: str) -> None:
        self.done.append(f"started {name}")


@pytest.mark.parametrize("running", [True, False])
def test_a_promotion_that_comes_to_nothing_starts_the_former_primary_again_if_it_ran(
    home: Home, monkeypatch: pytest.MonkeyPatch, *, running: bool
) -> None:
    async def nothing(*_: Any) -> bool:
        return False

    async def fails(*_: Any) -> None:
        raise errors.ReplicationError("tweets-db-0-replica did not apply all that it received")

    for name, instead in (("_require_candidate", nothing), ("_quiesced", nothing), ("_applied", fails)):
        monkeypatch.setattr(promotion, name, instead)
    monkeypatch.setattr(bootstrap, "write_role", lambda *_: None)
    processes: Any = Processes(home, running=running)
    former, chosen = home.lab().shard(SHARD)
    assert chosen is not None
    with pytest.raises(errors.ReplicationError, match="did not apply"):
        promotion._fence(processes, former, chosen, lambda _line: None)
    assert processes.done == [f"held {former.name}", *([f"started {former.name}"] if running else [])]


def test_nobody_is_promoted_while_the_former_primary_is_on_a_small_disk_that_would_have_to_be_made_anew(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    former, _ = home.lab().shard(SHARD)
    monkeypatch.setattr(os.path, "ismount", lambda path: path == bootstrap.directory(home, former))
    with pytest.raises(errors.StackError, match=f"{former.name} is on a drill's small disk: `failwhale chaos undo` first"):
        promotion.promote(home, SHARD, by="test", say=lambda _line: None)
    assert home.lab().shard(SHARD)[0] == former
    assert not bootstrap.role_file(home, former).exists()
