"""`failwhale diagnose`: which components contributed, from any two periods of signals, or from a recorded run."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, NamedTuple

import msgspec
import typer

from failwhale.commands import terminal
from postmortems import evidence
from postmortems.diagnosis import baselines, files, ranking, recorded
from postmortems.diagnosis.baselines import Baselines
from postmortems.diagnosis.model import SCHEMA, BadFileError, Case, Suspect
from postmortems.diagnosis.ranking import Ranking
from reference_app.kit.home import Home

CAUSE, NO_CAUSE, USAGE = 0, 1, 2
SHOWN = 5


class _Asked(NamedTuple):
    """A case, and how many alerts named each component; None where nobody knows."""

    case: Case
    alerts: Mapping[str, int] | None


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
    spans: Annotated[Path | None, typer.Option(help="File of spans: CSV, JSON lines (each perhaps .gz) or Parquet.")] = None,
    alerts: Annotated[Path | None, typer.Option(help="CSV of alerts with a column component, for the baseline that counts them.")] = None,
    liveness: Annotated[bool, typer.Option("--liveness", help="Use who was seen dead or hung, too (recorded runs).")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object on standard output.")] = False,
) -> None:
    """Rank components by how much speaks for each having contributed, with the evidence for and against in words.

    Exit codes: 0 a cause is suspected, 1 no cause: nothing beyond what the normal period shows as well, 2 usage or files.
    """
    try:
        asked = _asked(run, normal, anomalous, graph=graph, symptom=symptom, spans=spans, alerts=alerts, liveness=liveness)
        found, beside = ranking.rank(asked.case), baselines.beside(asked.case, asked.alerts)
    except (BadFileError, recorded.NothingNoticedError, evidence.NoSnapshotError, OSError, ValueError) as error:
        terminal.complain(str(error))
        raise typer.Exit(USAGE) from None
    if as_json:
        terminal.emit({"schema": SCHEMA, **msgspec.to_builtins(found), "baselines": msgspec.to_builtins(beside)})
    else:
        terminal.write(_lines(found) + _beside(beside))
    raise typer.Exit(NO_CAUSE if found.no_cause else CAUSE)


def _asked(
    run: str | None, normal: Path | None, anomalous: Path | None, *, graph: Path | None, symptom: str | None, spans: Path | None, alerts: Path | None,
    liveness: bool,
) -> _Asked:  # fmt: skip
    if run is None and normal and anomalous:
        if liveness:
            raise ValueError("--liveness is of recorded runs: files do not tell who was seen dead or hung")
        return _Asked(files.case(normal, anomalous, graph=graph, symptom=symptom, spans=spans), files.alerts(alerts) if alerts else None)
    if run is None or normal or anomalous:
        raise ValueError("say either a recorded run, or --normal FILE and --anomalous FILE")
    if graph or symptom or spans or alerts:
        raise ValueError(
            "a recorded run has its own calls, symptom, spans and alerts: --graph, --symptom, --spans and --alerts go with --normal and --anomalous"
        )
    snapshot = evidence.read(_snapshot(Home.from_environment(), run))
    return _Asked(recorded.of_snapshot(snapshot, liveness=liveness), recorded.named_by_alerts(snapshot))


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


def _beside(baselines_: Baselines) -> list[str]:
    return [
        "beside it, of less evidence:",
        f"     largest deviation  {_names(baselines_.largest_deviation)}",
        f"     most alerts        {'not known' if baselines_.most_alerts is None else _names(baselines_.most_alerts)}",
        f"     a guess            right in {baselines_.chance_top1:.0%}, among three in {baselines_.chance_top3:.0%}",
    ]


def _names(suspects: tuple[Suspect, ...]) -> str:
    return ", ".join(f"{one.component} ({one.score:g})" for one in suspects) or "nobody"
