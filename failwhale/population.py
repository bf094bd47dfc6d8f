"""Who lives in the lab before a drill: the graph that was asked for, or whoever is there, or a made-up population."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

import msgspec

from reference_app.contract.seed import Seed
from reference_app.kit.home import Home
from reference_app.stack import graphs, seeding, synthetic_graph
from reference_app.stack.loading import Report, Step

USERS = 1000
"""Users of a lab that nobody seeded."""
Say = Callable[[str], None]


def ensure(home: Home, graph: Path | None, *, directed: bool, number: int, say: Say) -> Seed:
    """Seed unless it was done already. Raises StackError, OSError, BadLinesError (an edge list that is not one)."""
    seeded = read(home)
    if graph is not None:
        if seeded is not None and (seeded.source, seeded.directed, seeded.digest) == (graph.name, directed, _digest(graph)):
            return seeded
        return from_file(home, graph, directed=directed, say=say, report=in_words(say))
    return seeded or made_up(home, USERS, number, report=in_words(say))


def read(home: Home) -> Seed | None:
    """What was seeded, None when nothing was."""
    try:
        return msgspec.json.decode(home.seed_file.read_bytes(), type=Seed)
    except FileNotFoundError:
        return None


def made_up(home: Home, users: int, number: int, *, report: Report, edges: int | None = None) -> Seed:
    """Seed made-up users. Raises StackError and ImpossibleGraphError."""
    graph = synthetic_graph.generate(users, seed=number, edges=edges)
    return seeding.seed(home, graph, source="synthetic", directed=True, report=report)


def from_file(home: Home, path: Path, *, directed: bool, say: Say, report: Report) -> Seed:
    """Seed an edge list. Raises StackError, OSError and BadLinesError."""
    parsed = graphs.read(path, directed=directed)
    if parsed.header is not None:
        say(f"{path.name}: taken for a header: {parsed.header}")
    say(f"{path.name}: {parsed.duplicates:,} duplicates and {parsed.self_loops:,} self-loops dropped")
    return seeding.seed(home, parsed.graph, source=path.name, directed=directed, report=report, digest=_digest(path))


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "blake2b").hexdigest()


def in_words(say: Say) -> Report:
    """Says what seeding begins, without its counts."""
    said: set[str] = set()

    def report(step: Step) -> None:
        if step.doing not in said:
            said.add(step.doing)
            say(step.doing)

    return report
