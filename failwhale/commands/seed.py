"""`failwhale seed`: users who follow one another, made up or from an edge list."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, NoReturn

import typer

from failwhale import population
from failwhale.commands import terminal
from reference_app.contract.seed import Seed
from reference_app.kit.home import Home
from reference_app.stack import graphs, synthetic_graph

BAD_LINES_SHOWN = 10


class UsageError(Exception):
    """The arguments do not say what to seed."""


def register(app: typer.Typer) -> None:
    """Add the command to the app."""
    app.command()(seed)


def seed(
    *,
    users: Annotated[int | None, typer.Option("--users", help="Make up this many users, with celebrities.")] = None,
    number: Annotated[int, typer.Option("--seed", help="The same number makes the same users.")] = 1,
    graph: Annotated[Path | None, typer.Option("--graph", help="Edge list: a pair per line, # and % comments, may be gzip.")] = None,
    directed: Annotated[
        bool | None, typer.Option("--directed/--undirected", help="Whether `a b` means that a follows b, or that both follow.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object on stdout.")] = False,
) -> None:
    """Replace users and follows. Tweets and timelines of the users before are deleted. Exits 2 with nothing changed when it cannot."""
    try:
        result = _seed(users, number, graph, directed=directed)
    except graphs.BadLinesError as error:
        _refuse(f"{graph}: {listing(error)}")
    except (UsageError, synthetic_graph.TooFewUsersError, OSError) as error:
        _refuse(str(error))
    if as_json:
        terminal.emit(result)
    else:
        terminal.say(
            f"{result.users:,} users, {result.edges:,} follows ({result.source}); the largest account has {result.top_followers:,} followers"
        )


def _seed(users: int | None, number: int, graph: Path | None, *, directed: bool | None) -> Seed:
    home = Home.from_environment()
    if users is not None and graph is None:
        return population.from_population(home, users, number, say=terminal.say)
    if graph is None or users is not None:
        raise UsageError("say either how many users (--users N) or which graph (--graph FILE)")
    if directed is None:
        raise UsageError("say whether the graph is --directed or --undirected: the file does not tell")
    return population.from_file(home, graph, directed=directed, say=terminal.say)


def listing(error: graphs.BadLinesError) -> str:
    """The first bad lines with their numbers, and how many more there are."""
    shown = [f"  line {line.number}: {line.reason}: {line.text[:80]!r}" for line in error.bad[:BAD_LINES_SHOWN]]
    more = len(error.bad) - len(shown)
    rest = [f"  and {more:,} more"] if more else []
    return "\n".join([f"{len(error.bad):,} bad lines, nothing was loaded", *shown, *rest])


def _refuse(message: str) -> NoReturn:
    terminal.complain(message)
    raise typer.Exit(2)
