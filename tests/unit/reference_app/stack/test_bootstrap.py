"""Data directories are made once; what vanished is reported."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import msgspec
import pytest

from reference_app.contract.topology import SMALL, Lab, components
from reference_app.kit import files, roles
from reference_app.kit.home import Home
from reference_app.stack import bootstrap, errors, replication


def lab(home: Home) -> Lab:
    stateless = tuple(c for c in components(SMALL, 21000) if c.kind != "mariadb")
    return Lab(str(home.path), "small", 21000, stateless, "", "")


def test_directories_are_made_for_stores_and_tools_but_not_for_services(tmp_path: Path) -> None:
    home = Home(tmp_path)
    bootstrap.prepare(home, lab(home))
    made = {path.name for path in home.data.iterdir()}
    assert {"events-0", "timeline-cache-0", "prometheus", "alertmanager"} <= made
    assert "gateway-0" not in made


@pytest.mark.parametrize("emptied", [True, False])
def test_an_initialised_directory_that_is_gone_or_empty_is_reported_and_not_made(tmp_path: Path, *, emptied: bool) -> None:
    home = Home(tmp_path)
    (tmp_path / "initialised.json").write_bytes(msgspec.json.encode(["events-0"]))
    if emptied:
        (home.data / "events-0").mkdir(parents=True)
    with pytest.raises(errors.DataVanishedError, match="events-0"):
        bootstrap.prepare(home, lab(home))
    assert not (home.data / "prometheus").exists()


def record(home: Home, schema: str) -> None:
    (home.path / "initialised.json").write_bytes(msgspec.json.encode(bootstrap.Initialised(["users-db-0"], schema)))


def test_databases_of_another_schema_are_refused_in_one_sentence(tmp_path: Path) -> None:
    record(Home(tmp_path), "of last week")
    with pytest.raises(errors.SchemaChangedError, match="failwhale reset --yes"):
        bootstrap.require_current_schema(Home(tmp_path))


def test_databases_from_before_the_schema_was_recorded_are_refused_too(tmp_path: Path) -> None:
    (tmp_path / "initialised.json").write_bytes(b'["users-db-0"]')
    with pytest.raises(errors.SchemaChangedError):
        bootstrap.require_current_schema(Home(tmp_path))


def test_a_new_home_and_one_of_the_same_schema_are_taken(tmp_path: Path) -> None:
    bootstrap.require_current_schema(Home(tmp_path))
    record(Home(tmp_path), replication.fingerprint())
    bootstrap.require_current_schema(Home(tmp_path))


def test_a_shard_is_its_primary_and_its_replica(tmp_path: Path) -> None:
    whole = Lab(str(tmp_path), "small", 21000, components(SMALL, 21000), "", "")
    pairs = {shard.name: (shard.primary.name, shard.replica.name if shard.replica else None) for shard in bootstrap.shards(whole)}
    assert pairs == {
        "users-db-0": ("users-db-0", None),
        "graph-db-0": ("graph-db-0", None),
        "keyvalue-db-0": ("keyvalue-db-0", None),
        "tweets-db-0": ("tweets-db-0-primary", "tweets-db-0-replica"),
        "tweets-db-1": ("tweets-db-1-primary", "tweets-db-1-replica"),
    }


def test_what_an_interrupted_restore_set_aside_is_put_back_unless_it_was_decided(tmp_path: Path) -> None:
    home = Home(tmp_path)
    files.write_json(home.lab_file, Lab(str(tmp_path), "small", 21000, components(SMALL, 21000), "key", "secret"))
    for decided, left in ((False, ["former"]), (True, ["restored"])):
        if decided:
            roles.assign(home.roles_file, "tweets-db-0", "tweets-db-0-replica")
        replica = home.lab().component("tweets-db-0-replica")
        for directory, file in ((bootstrap.directory(home, replica), "restored"), (bootstrap.aside(home, replica), "former")):
            shutil.rmtree(directory, ignore_errors=True)
            directory.mkdir(parents=True)
            (directory / file).touch()
        bootstrap.put_back(home, replica)
        assert [path.name for path in bootstrap.directory(home, replica).iterdir()] == left
        assert not bootstrap.aside(home, replica).exists()


def test_a_data_directory_that_cannot_be_copied_is_told_with_the_words_of_cp(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = Home(tmp_path)
    home.data.mkdir()
    monkeypatch.setattr(bootstrap, "_template", lambda _: tmp_path / "gone")
    (component,) = (c for c in components(SMALL, 21000) if c.name == "users-db-0")
    with pytest.raises(errors.StackError, match=r"directory of users-db-0 could not be made:\ncp: .*gone"):
        bootstrap.provision(home, component)
    assert not bootstrap.directory(home, component).exists()


def test_a_data_directory_on_a_small_disk_is_not_made_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = Home(tmp_path)
    (component,) = (c for c in components(SMALL, 21000) if c.name == "users-db-0")
    kept = bootstrap.directory(home, component) / "kept"
    kept.parent.mkdir(parents=True)
    kept.touch()
    monkeypatch.setattr(os.path, "ismount", lambda path: path == kept.parent)
    with pytest.raises(errors.StackError, match="users-db-0 is on a drill's small disk: `failwhale chaos undo` first"):
        bootstrap.provision(home, component)
    assert kept.exists()
