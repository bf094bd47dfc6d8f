"""`failwhale bench [NAME...]`: benchmarks against the limit, each with a bar."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from failwhale.bench import measure, model, registry, report
from failwhale.commands import terminal
from reference_app.kit.home import REPOSITORY, Home

MISSED, USAGE = 1, 2


def register(app: typer.Typer) -> None:
    """Add the command to the app."""
    app.command()(bench)


def bench(
    names: Annotated[list[str] | None, typer.Argument(metavar="[NAME]...", help=f"Some of: {', '.join(registry.MODULES)}.")] = None,
    *,
    quick: Annotated[bool, typer.Option("--quick", help="A few windows, to see that it works: nothing is judged or kept.")] = False,
    write: Annotated[
        bool, typer.Option("--write", help="Write docs/benchmarks.md from what was kept, after running what is named, if anything.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object on stdout.")] = False,
) -> None:
    """Measure what the app needs against the least that is possible, in labs of its own; without a name all, which takes a while.

    Ratios are CPU time per operation unless the benchmark says otherwise, over at least 20 pairs of windows in the order A B B A.
    Exit codes: 0 every bar passed (or there is none), 1 a bar is missed, 2 usage or environment, 130 interrupted.
    """
    wanted = names or ([] if write else list(registry.MODULES))
    if unknown := [name for name in wanted if name not in registry.MODULES]:
        terminal.complain(f"no benchmark {', '.join(map(repr, unknown))}; there are {', '.join(registry.MODULES)}")
        raise typer.Exit(USAGE)
    terminal.obey_interrupts()
    directory = Home.from_environment().benchmarks
    machine = measure.machine()
    results = {name: _run(name, directory, machine, quick=quick) for name in wanted}
    if write:
        terminal.say(f"wrote {_write(directory, REPOSITORY / report.DOCUMENT)}")
    if as_json:
        terminal.emit({"schema": model.SCHEMA, "machine": machine, "results": results})
    elif results:
        terminal.show(_table(results))
        terminal.write(_figures(results))
    raise typer.Exit(MISSED if any(result.passed is False for result in results.values()) else 0)


def _run(name: str, directory: Path, machine: measure.Machine, *, quick: bool) -> model.Result:
    chosen = registry.load(name)
    terminal.say(f"{name}: {chosen.meaning}")
    terms = model.Terms(say=lambda line: terminal.say(f"{name}: {line}"), quick=quick)
    result = model.judged(chosen, chosen.run(terms), quick=quick)
    if not quick:
        now = dataclasses.replace(machine, at=measure.now())
        report.keep(directory, report.Kept(name, now, result))
    return result


def _write(directory: Path, path: Path) -> Path:
    path.write_text(report.document([registry.load(name) for name in registry.MODULES], report.read(directory)))
    return path


def _table(results: dict[str, model.Result]) -> Table:
    table = Table("benchmark", "ratio", "95 % interval", "bar", "against", title="benchmarks", title_justify="left")
    for name, result in results.items():
        ratio, interval = report.ratio_text(result)
        table.add_row(name, ratio, interval, report.bar_text(result), result.against)
    return table


def _figures(results: dict[str, model.Result]) -> Iterator[str]:
    for name, result in results.items():
        yield f"{name}:"
        yield from (f"  {figure} {value}" for figure, value in report.figures(result.absolute))
