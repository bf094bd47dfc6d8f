"""`failwhale seed`: users who follow one another, made up or from an edge list; and tweets with the words of a file."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer

from failwhale import planning, population
from failwhale.commands import bar, terminal
from loadgen import posts, session, target
from loadgen.model import corpus
from reference_app.contract.seed import Seed
from reference_app.kit.home import Home
from reference_app.stack import graphs, seeding, synthetic_graph
from reference_app.stack.loading import Step

BAD_LINES_SHOWN = 10
DONE, NOT_ALL, USAGE, INTERRUPTED = 0, 1, 2, 130


class UsageError(Exception):
    """The arguments do not say what to seed."""


@dataclass(frozen=True)
class Wish:
    """The options, as they were given."""

    users: int | None
    edges: int | None
    number: int
    graph: Path | None
    directed: bool | None
    tweets: Path | None
    count: int | None
    per_user: int | None

    def check(self) -> None:
        """Raise UsageError unless they go together."""
        if sum(source is not None for source in (self.users, self.graph, self.tweets)) != 1:
            raise UsageError("say either how many users (--users N), or which graph (--graph FILE), or whose words (--tweets FILE)")
        if self.graph is not None and self.directed is None:
            raise UsageError("say whether the graph is --directed or --undirected: the file does not tell")
        if self.graph is None and self.directed is not None:
            raise UsageError("--directed and --undirected say what a pair in an edge list means: they need --graph")
        if self.edges is not None and self.users is None:
            raise UsageError("--edges says how many follows made-up users have: it needs --users")
        if (self.count or self.per_user) and (self.tweets is None or (self.count and self.per_user)):
            raise UsageError("--tweets takes either --count or --per-user, and nothing else does")


def register(app: typer.Typer) -> None:
    """Add the command to the app."""
    app.command()(seed)


def seed(
    *,
    users: Annotated[int | None, typer.Option("--users", help="Make up this many users, with celebrities.")] = None,
    edges: Annotated[
        int | None, typer.Option("--edges", help="With --users: about this many follows, instead of 35 for each user.")
    ] = None,
    number: Annotated[int, typer.Option("--seed", help="The same number makes the same users.")] = 1,
    graph: Annotated[Path | None, typer.Option("--graph", help="Edge list: a pair per line, # and % comments, may be gzip.")] = None,
    directed: Annotated[
        bool | None, typer.Option("--directed/--undirected", help="Whether `a b` means that a follows b, or that both follow.")
    ] = None,
    tweets: Annotated[
        Path | None, typer.Option("--tweets", help="Post the texts of this file: a .csv with a column `text`, or a tweet per line.")
    ] = None,
    count: Annotated[int | None, typer.Option("--count", min=1, help="With --tweets: this many in all, instead of each text once.")] = None,
    per_user: Annotated[int | None, typer.Option("--per-user", min=1, help="With --tweets: this many by every user.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object on stdout.")] = False,
) -> None:
    """Replace users and follows (the former users' tweets and timelines are deleted), or post tweets of a file by the users there are.

    Tweets go in through the front door, so they are on both disks, in the stream and on timelines like any other. The same file again
    posts nothing twice.

    Exit codes: 0 done, 1 some tweets were refused, 2 it cannot be done and nothing was changed, 130 interrupted (it says what is left).
    """
    terminal.obey_interrupts()
    home, wish = Home.from_environment(), Wish(users, edges, number, graph, directed, tweets, count, per_user)
    try:
        wish.check()
        if wish.tweets is None:
            _tell_people(_people(home, wish), as_json=as_json)
        else:
            _tell_words(_words(home, wish, wish.tweets), as_json=as_json)
    except (graphs.BadLinesError, corpus.BadCorpusError) as error:
        _refuse(f"{graph or tweets}: {listing(error)}")
    except (
        UsageError,
        synthetic_graph.ImpossibleGraphError,
        session.NoSeedError,
        target.ClosedError,
        planning.DrillError,
        OSError,
    ) as error:
        _refuse(str(error))
    except KeyboardInterrupt:
        left = seeding.state(home) if tweets is None else "The same command again posts the rest, and nothing twice"
        terminal.complain(f"interrupted. {left}")
        raise typer.Exit(INTERRUPTED) from None


def _people(home: Home, wish: Wish) -> Seed:
    with bar.shown("rows") as report:
        if wish.users is not None:
            return population.made_up(home, wish.users, wish.number, edges=wish.edges, report=report)
        assert wish.graph is not None  # noqa: S101 - checked
        return population.from_file(home, wish.graph, directed=bool(wish.directed), say=terminal.say, report=report)


def _words(home: Home, wish: Wish, path: Path) -> dict[str, Any]:
    planning.require_free(home, now=time.time())
    lab, users, found = home.lab(), session.users(home), corpus.read(path)
    target.require_open(lab)
    wanted = wish.per_user * users if wish.per_user else wish.count or len(found.texts)
    planned = posts.plan(found.texts, users=users, count=wanted, even=wish.per_user is not None, seed=wish.number)
    with bar.shown("tweets") as report:
        outcomes = posts.send(lab, planned, lambda done: report(Step("posting", done, wanted)))
    return {"schema": "failwhale/tweets/v1", "texts": len(found.texts), "skipped": found.skipped, "posts": outcomes}


def _tell_people(result: Seed, *, as_json: bool) -> None:
    if as_json:
        terminal.emit(result)
        return
    terminal.say(
        f"{result.users:,} users, {result.edges:,} follows ({result.source}); the largest account has {result.top_followers:,} followers"
    )


def _tell_words(outcome: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        terminal.emit(outcome)
    else:
        skipped = _counted(outcome["skipped"].items())
        terminal.say(f"{outcome['texts']:,} texts; skipped: {skipped or 'none'}; {_counted(outcome['posts'].items())}")
    raise typer.Exit(DONE if outcome["posts"].keys() <= {posts.ACKNOWLEDGED, posts.KNOWN} else NOT_ALL)


def _counted(items: Iterable[tuple[str, int]]) -> str:
    return ", ".join(f"{number:,} {what}" for what, number in items)


def listing(error: graphs.BadLinesError | corpus.BadCorpusError) -> str:
    """The first bad lines with their numbers, and how many more there are."""
    shown = [f"  line {line.number}: {line.reason}{_quoted(line)}" for line in error.bad[:BAD_LINES_SHOWN]]
    more = len(error.bad) - len(shown)
    rest = [f"  and {more:,} more"] if more else []
    head = str(error) if isinstance(error, corpus.BadCorpusError) else f"{len(error.bad):,} bad lines, nothing was loaded"
    return "\n".join([head, *shown, *rest])


def _quoted(line: graphs.BadLine | corpus.BadLine) -> str:
    return f": {line.text!r}" if isinstance(line, graphs.BadLine) else ""


def _refuse(message: str) -> NoReturn:
    terminal.complain(message)
    raise typer.Exit(USAGE)
