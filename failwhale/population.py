"""Who lives in the lab before a drill: the graph that was asked for, or whoever is there, or a made-up population."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import msgspec

from reference_app.contract.seed import Seed
from reference_app.kit.home import Home
from reference_app.stack import graphs, seeding, synthetic_graph

USERS = 1000
"""Users of a lab that nobody seeded."""


def ensure(home: Home, graph: Path | None, *, directed: bool, number: int, say: Callable[[str], None]) -> Seed:
    """Seed unless it was done already. Raises StackError, OSError, BadLinesError (an edge list that is not one)."""
    seeded = read(home)
    if graph is not None:
        if seeded is not None and (seeded.source, seeded.directed) == (graph.name, directed):
            return seeded
        return from_file(home, graph, directed=directed, say=say)
    return seeded or from_population(home, USERS, number, say=say)


def read(home: Home) -> Seed | None:
    """What was seeded, None when nothing was."""
    try:
        return msgspec.json.decode(home.seed_file.read_bytes(), type=Seed)
    except FileNotFoundError:
        return None


def from_population(home: Home, users: int, number: int, *, say: Callable[[str], None]) -> Seed:
    """Seed made-up users. Raises StackError and TooFewUsersError."""
    return seeding.seed(home, synthetic_graph.generate(users, seed=number), source="synthetic", directed=True, report=say)


def from_file(home: Home, path: Path, *, directed: bool, say: Callable[[str], None]) -> Seed:
    """Seed an edge list. Raises StackError, OSError and BadLinesError."""
    parsed = graphs.read(path, directed=directed)
    if parsed.header is not None:
        say(f"{path.name}: taken for a header: {parsed.header}")
    say(f"{path.name}: {parsed.duplicates:,} duplicates and {parsed.self_loops:,} self-loops dropped")
    return seeding.seed(home, parsed.graph, source=path.name, directed=directed, report=say)
