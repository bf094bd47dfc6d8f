"""Reading SQL files."""

from __future__ import annotations

from pathlib import Path

from reference_app.contract import storage
from reference_app.stack import replication


def test_comment_lines_are_left_out_even_with_semicolons() -> None:
    assert list(replication.statements("-- one; two\nCREATE A;\n\n  -- three\nCREATE B (\n  x INT\n);\n")) == [
        "CREATE A",
        "CREATE B (\n  x INT\n)",
    ]


def test_every_schema_file_holds_table_definitions_only() -> None:
    directory = Path(storage.__file__).parent / "schema"
    for file in (*storage.SCHEMAS.values(), "identity.sql"):
        found = list(replication.statements((directory / file).read_text()))
        assert found
        assert all(statement.startswith("CREATE TABLE IF NOT EXISTS") for statement in found), file
