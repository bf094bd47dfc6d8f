"""`failwhale diagnose`: which components contributed, from any two periods of signals, or from a recorded run."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import msgspec
import typer

from failwhale.commands import terminal
from postmortems import evidence
from postmortems.diagnosis import files, ranking, recorded
from postmortems.diagnosis.model import SCHEMA, Case
from postmortems.diagnosis.ranking import Ranking
from reference_app.kit.home import Home

CAUSE, NO_CAUSE, USAGE = 0, 1, 2
SHOWN = 5


def register(app: typer.Typer) -> None:
    """Add the command to the app."""
    app.command()(diagnose)


def diagnose(
    run: Annotated[str | None, typer.Argument(help="A recorded run, or `latest`; not with --normal and --anomalous.")] = None,
    *,
    normal: Annotated[Path | None, typer.Option(help="CSV of signals while all was well (docs/diagnosis.md).")] = None,
    anomalous: Annotated[Path | None, typer.Option(help="CSV of the same signals when it was not.")] = None,
    graph: Annotated[Path | None, typer.Option(help="CSV of calls: caller,callee.")] = None,
    symptom: Annotated[
        str | None, typer.Option(metavar="COMPONENT[=FAMILY]", help="What was noticed first, such as gateway=latency.")
    ] = None,
    liveness: Annotated[bool, typer.Option("--liveness", help="Use who was seen dead or hung, too (recorded runs).")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object on standard output.")] = False,
) -> None:
    """Rank components by how much speaks for each having contributed, with the evidence for and against in words.

    Exit codes: 0 a cause is suspected, 1 nothing that the normal period does not show as well, 2 usage or files.
    """
    try:
        ranking_ = ranking.rank(_case(run, normal, anomalous, graph=graph, symptom=symptom, liveness=liveness))
    except (files.BadFileError, recorded.NothingNoticedError, evidence.NoSnapshotError, OSError, ValueError) as error:
        terminal.complain(str(error))
        raise typer.Exit(USAGE) from None
    if as_json:
        terminal.emit({"schema": SCHEMA, **msgspec.to_builtins(ranking_)})
    else:
        terminal.write(_lines(ranking_))
    raise typer.Exit(NO_CAUSE if ranking_.no_cause else CAUSE)


def _case(run: str | None, normal: Path | None, anomalous: Path | None, *, graph: Path | None, symptom: str | None, liveness: bool) -> Case:
    if run is None and normal and anomalous:
        return files.case(normal, anomalous, graph=graph, symptom=symptom)
    if run is None or normal or anomalous:
        raise ValueError("say either a recorded run, or --normal FILE and --anomalous FILE")
    return recorded.of_snapshot(evidence.read(_snapshot(Home.from_environment(), run)), liveness=liveness)


def _snapshot(home: Home, run: str) -> Path:
    incidents = sorted(path.name for path in home.incidents.glob("*") if (path / "snapshot").is_dir())
    name = incidents[-1] if run == "latest" and incidents else run
    if name not in incidents:
        raise ValueError(f"no snapshot of {run!r} in {home.incidents}; there are {', '.join(incidents) or 'none: a drill makes one'}")
    return home.incidents / name / "snapshot"


def _lines(found: Ranking) -> list[str]:
    lines = ["no cause: the normal period by itself shows as much as what is asked about"] if found.no_cause else []
    for place, one in enumerate(found.ranked[:SHOWN], start=1):
        lines.append(f"{place}. {one.component}  {one.score:.2f}")
        lines += [f"     for      {reason}" for reason in one.reasons_for]
        lines += [f"     against  {reason}" for reason in one.reasons_against]
    return lines
