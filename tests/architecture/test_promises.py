"""docs/failures.md and docs/consistency.md promise nothing without a test, and no test of a failure is missing from them."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from reference_app.kit.home import REPOSITORY

DOCS = ("docs/failures.md", "docs/consistency.md")
REFERENCE = re.compile(r"`(tests/[\w/]+\.py)::(test_\w+)`")


def rows(text: str) -> list[str]:
    """Rows of the tables, without their heads."""
    lines = [line for line in text.splitlines() if line.startswith("|")]
    heads = {n for n, line in enumerate(lines) if set(line) <= set("|-: ")}
    return [line for n, line in enumerate(lines) if n not in heads and n + 1 not in heads]


def unproven(text: str) -> list[str]:
    """First cells of the rows that name no test."""
    return [row.split("|")[1].strip() for row in rows(text) if not REFERENCE.search(row)]


def missing(text: str, root: Path = REPOSITORY) -> list[str]:
    """Named tests that do not exist."""
    return [f"{path}::{name}" for path, name in REFERENCE.findall(text) if name not in defined_in(root / path)]


def defined_in(path: Path) -> set[str]:
    if not path.exists():
        return set()
    functions = (node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.FunctionDef))
    return {function.name for function in functions if function.name.startswith("test_")}


@pytest.mark.parametrize("doc", DOCS)
def test_every_row_names_tests_that_exist(doc: str) -> None:
    text = (REPOSITORY / doc).read_text()
    assert rows(text)
    assert unproven(text) == []
    assert missing(text) == []


def test_every_test_of_a_failure_is_in_the_table() -> None:
    named = {name for _, name in REFERENCE.findall((REPOSITORY / DOCS[0]).read_text())}
    there = {name for path in (REPOSITORY / "tests/failures").glob("test_*.py") for name in defined_in(path)}
    assert there - named == set()


def test_a_row_without_a_test_and_a_test_that_does_not_exist_are_found(tmp_path: Path) -> None:
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests/test_it.py").write_text("def test_there(): ...\n")
    text = "| part | what | proven by |\n|---|---|---|\n| a | b | `tests/test_it.py::test_there` |\n| c | d | soon |\n| e | f | `tests/test_it.py::test_gone` |"
    assert unproven(text) == ["c"]
    assert missing(text, tmp_path) == ["tests/test_it.py::test_gone"]
