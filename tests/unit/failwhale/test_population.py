from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from failwhale import population
from reference_app.contract.seed import Seed
from reference_app.kit import files
from reference_app.kit.home import Home
from reference_app.stack import seeding

Seeded = list[str]


@pytest.fixture
def seeded(monkeypatch: pytest.MonkeyPatch) -> Seeded:
    """The graphs that went into the stores, in turn; nothing is written there."""
    done: Seeded = []

    def seed(home: Home, graph: Any, *, source: str, directed: bool, digest: str = "", **_more: object) -> Seed:
        done.append(source)
        result = Seed(len(graph.handles), len(graph.edges), source, directed, 1, 0.0, digest)
        files.write_json(home.seed_file, result)
        return result

    monkeypatch.setattr(seeding, "seed", seed)
    return done


def edge_list(directory: Path, *edges: str) -> Path:
    directory.mkdir(exist_ok=True)
    path = directory / "edges.txt"
    path.write_text("\n".join(edges))
    return path


def test_a_graph_that_is_seeded_already_is_known_by_its_content_and_not_by_its_name(tmp_path: Path, seeded: Seeded) -> None:
    home = Home(tmp_path)

    def users(graph: Path) -> int:
        return population.ensure(home, graph, directed=True, number=1, say=lambda _line: None).users

    first, other = edge_list(tmp_path / "a", "1 2", "2 3"), edge_list(tmp_path / "b", "1 2", "2 3", "3 4")
    assert (users(first), users(first)) == (3, 3)
    assert seeded == ["edges.txt"]
    assert users(other) == 4
    edge_list(tmp_path / "b", "1 2")
    assert users(other) == 2
