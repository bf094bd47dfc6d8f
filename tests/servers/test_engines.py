"""A MariaDB without the log-structured engine: the key-value tier works, and it is said."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from reference_app.contract import keyvalue, storage
from reference_app.stack import engines, render, replication

SCHEMA = (Path(storage.__file__).parent / "schema" / storage.SCHEMAS[keyvalue.DATABASE_GROUP]).read_text()
PLUGIN = "ha_rocksdb"


@pytest.mark.filterwarnings("ignore::Warning")  # asyncmy tells what the server warns of
def test_without_the_plugin_its_tables_are_innodbs_and_status_says_so(start: Any, execute: Any) -> None:
    server = start("mariadb", *(option.replace(PLUGIN, "ha_that_is_not_there") for option in render.KEYVALUE_OPTIONS))
    database = replace(server.component, group=keyvalue.DATABASE_GROUP)
    assert engines.note(database) == "", "nothing is known of a database without tables"
    execute(server.port, f"CREATE DATABASE {storage.DATABASE}", f"USE {storage.DATABASE}", *replication.statements(SCHEMA))
    assert "kept by InnoDB" in engines.note(database)
    assert engines.note(replace(database, group="users-db")) == ""
    execute(server.port, f"USE {storage.DATABASE}", "INSERT INTO engagement_counts VALUES ('1:likes', 1)")


def test_nothing_is_said_where_the_engine_is_as_wanted_or_nobody_answers(start: Any, execute: Any) -> None:
    server = start("mariadb", *render.KEYVALUE_OPTIONS)
    if not execute(server.port, "SELECT 1 FROM information_schema.engines WHERE engine = 'ROCKSDB'"):
        pytest.skip("this machine has no RocksDB: install mariadb-plugin-rocksdb")
    execute(server.port, f"CREATE DATABASE {storage.DATABASE}", f"USE {storage.DATABASE}", *replication.statements(SCHEMA))
    database = replace(server.component, group=keyvalue.DATABASE_GROUP)
    assert engines.note(database) == ""
    server.process.kill()
    server.process.wait(10)
    assert engines.note(database) == ""
