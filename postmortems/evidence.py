"""Evidence of a run, frozen: tables with hashes that outlive Prometheus' retention and the lab itself."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, TypeVar

import msgspec
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from chaos import events
from chaos.audit import witness
from chaos.audit.model import Audit
from chaos.audit.sightings import Sighting
from chaos.catalogue import Extension
from chaos.events import Event
from loadgen import facts, history
from loadgen.facts import Facts
from loadgen.history import Operation
from postmortems import course, tables, whitelist
from postmortems.incidents import LiveIncident
from postmortems.model import Factors, FrozenFile, Manifest, Outcome
from reference_app.contract import plan as plans
from reference_app.contract.plan import Plan
from reference_app.kit import files
from reference_app.kit.changes import Change
from reference_app.kit.home import REPOSITORY
from reference_app.query.prometheus import AlertSpan, PrometheusUnreachableError, QueryRefusedError, Series
from reference_app.query.slo import Slo

MANIFEST, OBJECTIVES, EXPERIMENT, CHANGES = "manifest.json", "objectives.json", "experiment.json", "changes.json"
FACTORS, REPORTED = "diagnosis.json", course.SOURCE
WITNESS = "witness.ndjson"
COPIES = {
    plans.FILE: plans.FILE, "audit.json": "audit.json", "result.json": "result.json", "generator.json": facts.FILE, WITNESS: witness.FILE,
}  # fmt: skip
"""File of the snapshot -> file of the run directory that it is a copy of."""
_LEAD_S, _TAIL_S = 5.0, 60.0
_EARLY_S = 2.0
"""An alert is told of a moment after it fires. What fired earlier is of another incident."""

T = TypeVar("T")


class Signals(Protocol):
    """What freezing asks of a metrics server; `reference_app.query.prometheus.Prometheus` is one."""

    def range(self, query: str, start: float, end: float, step: float = 1) -> list[Series]:
        """Values at start, start + step, ... end."""

    def alert_spans(self, start: float, end: float) -> list[AlertSpan]:
        """What fired in the window."""


class NoRunError(Exception):
    """The run directory is not there, or has no plan."""


class NoSnapshotError(Exception):
    """A snapshot is absent or cannot be read as one."""


@dataclass(frozen=True)
class Snapshot:
    """What a snapshot holds. A part that was not frozen is None."""

    plan: Plan
    experiment: Extension | None
    objectives: tuple[Slo, ...]
    operations: tuple[Operation, ...] | None
    series: dict[str, tuple[Series, ...]] | None
    alerts: tuple[AlertSpan, ...] | None
    events: tuple[Event, ...]
    audit: Audit | None
    outcome: Outcome
    facts: Facts | None
    witnessed: tuple[Sighting, ...] = ()
    changes: tuple[Change, ...] = ()
    factors: Factors | None = None
    reported: LiveIncident | None = None


def freeze(
    run_dir: Path,
    out: Path,
    *,
    prometheus: Signals | None,
    plan: Plan,
    experiment: Extension | None,
    objectives: Sequence[Slo],
    changed: Sequence[Change],
    now: float,
    diagnose: Callable[[Path], Factors],
    reported: LiveIncident | None = None,
    told: Callable[[float, float], Sequence[tables.Frozen]] | None = None,
    silences: Sequence[AlertSpan] = (),
) -> Manifest:
    """Write the snapshot of a run to the new directory `out`. What cannot be had is named in the manifest and left out.

    `changed` is what people changed in the lab while it ran; `diagnose` is asked of the tables once they are there, because a later version
    of it may say something else; `reported` is the incident as people lived it. A plan without a drill is of an incident that nobody ran.
    `told` counts what spans and logs of a window say; a snapshot keeps the counts beside the signals, as series. `silences` are alerts of
    which Prometheus does not know, because it was itself away.

    `now` (Unix seconds) ends the window of the queries when the run ended less than a minute ago.
    """
    scratch = out.with_name(f".{out.name}.new")
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir(parents=True)
    # Prometheus' times are milliseconds: a start between two of them would make its first sample begin after the window.
    window = (round(plan.t0 - _LEAD_S, 3), round(min(now, plan.t0 + plan.duration + _TAIL_S), 3))
    queries = whitelist.queries(objectives)
    files.write_json(scratch / OBJECTIVES, objectives)
    files.write_json(scratch / CHANGES, changed)
    if plan.drill:
        missing = [*_copies(run_dir, scratch), *_expectations(experiment, scratch, plan), *_history(run_dir, scratch)]
    else:
        files.write_json(scratch / plans.FILE, plan)
        missing = [f"{tables.OPERATIONS}: no load of the lab ran, so no client counted what it met"]
    if reported is not None:
        files.write_json(scratch / REPORTED, reported)
    tables.write_events(scratch / tables.EVENTS, events.read(run_dir))
    theirs = [span for span in silences if span.fired_at <= window[1]]
    since = plan.t0 if reported is None or plan.drill else reported.began_at - _EARLY_S
    missing += _signals(prometheus, scratch, since=since, queries=queries, window=window, told=told, silences=theirs)
    files.write_json(scratch / FACTORS, diagnose(scratch))
    home = run_dir.parent.parent
    _make_portable(scratch, home)
    gaps = tuple(_portable(pa.scalar(gap), home).as_py() for gap in missing)
    manifest = Manifest(plan.run_id, now, window, _hashes(scratch), queries, gaps)
    files.write_json(scratch / MANIFEST, manifest)
    scratch.rename(out)
    return manifest


def read_plan(run_dir: Path) -> Plan:
    """The plan of a run; NoRunError when there is none."""
    try:
        return msgspec.json.decode((run_dir / plans.FILE).read_bytes(), type=Plan)
    except FileNotFoundError:
        raise NoRunError(
            f"no run {run_dir.name!r} with a plan in {run_dir.parent}: `failwhale postmortem list` names those there are"
        ) from None


def read_manifest(snapshot: Path) -> Manifest:
    """The manifest of a snapshot; NoSnapshotError when it is absent or broken."""
    try:
        return msgspec.json.decode((snapshot / MANIFEST).read_bytes(), type=Manifest)
    except (FileNotFoundError, msgspec.DecodeError) as error:
        raise NoSnapshotError(f"{snapshot / MANIFEST} cannot be read ({error}): the snapshot is incomplete") from error


def read(snapshot: Path) -> Snapshot:
    """A snapshot as typed values; NoSnapshotError when a file of it cannot be read."""
    try:
        return _read(snapshot)
    except (OSError, ValueError, KeyError, TypeError, msgspec.MsgspecError) as error:
        raise NoSnapshotError(f"the snapshot {snapshot} cannot be read: {error}") from error


def sha256(path: Path) -> str:
    """Hex digest of a file's content."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _read(snapshot: Path) -> Snapshot:
    return Snapshot(
        plan=msgspec.json.decode((snapshot / plans.FILE).read_bytes(), type=Plan),
        experiment=_json(snapshot / EXPERIMENT, Extension),
        objectives=msgspec.json.decode((snapshot / OBJECTIVES).read_bytes(), type=tuple[Slo, ...]),
        operations=tables.read_operations(snapshot / tables.OPERATIONS) if (snapshot / tables.OPERATIONS).exists() else None,
        series=tables.read_series(snapshot / tables.SERIES) if (snapshot / tables.SERIES).exists() else None,
        alerts=tables.read_alerts(snapshot / tables.ALERTS) if (snapshot / tables.ALERTS).exists() else None,
        events=tables.read_events(snapshot / tables.EVENTS),
        audit=_json(snapshot / "audit.json", Audit),
        outcome=_json(snapshot / "result.json", Outcome) or Outcome(),
        facts=_json(snapshot / "generator.json", Facts),
        witnessed=witness.read_file(snapshot / WITNESS),
        changes=_json(snapshot / CHANGES, tuple[Change, ...]) or (),
        factors=_json(snapshot / FACTORS, Factors),
        reported=_json(snapshot / REPORTED, LiveIncident),
    )


def _json(path: Path, kind: type[T]) -> T | None:
    return msgspec.json.decode(path.read_bytes(), type=kind) if path.exists() else None


def _copies(run_dir: Path, out: Path) -> Iterator[str]:
    for name, source in COPIES.items():
        if (run_dir / source).exists():
            shutil.copyfile(run_dir / source, out / name)
        else:
            yield f"{name}: the run has no {source}"


def _expectations(experiment: Extension | None, out: Path, plan: Plan) -> Iterator[str]:
    if experiment is None:
        yield f"{EXPERIMENT}: there is no experiment {plan.drill}"
    else:
        files.write_json(out / EXPERIMENT, experiment)


def _history(run_dir: Path, out: Path) -> Iterator[str]:
    operations = history.read(run_dir / history.FILE)
    if operations:
        tables.write_operations(out / tables.OPERATIONS, operations)
    else:
        yield f"{tables.OPERATIONS}: the run has no {history.FILE}"


def _signals(
    prometheus: Signals | None, out: Path, *, since: float, queries: dict[str, str], window: tuple[float, float],
    told: Callable[[float, float], Sequence[tables.Frozen]] | None, silences: Sequence[AlertSpan],
) -> Iterator[str]:  # fmt: skip
    if prometheus is None:
        yield f"{tables.SERIES}, {tables.ALERTS}: no Prometheus was there to be asked"
        return
    try:
        frozen = [tables.Frozen(name, query, tuple(prometheus.range(query, *window))) for name, query in queries.items()]
        # They are clipped to the start that is asked for: what fired already then is known by a start before `since`.
        spans = [span for span in prometheus.alert_spans(since - _LEAD_S, window[1]) if span.fired_at >= since]
    except (PrometheusUnreachableError, QueryRefusedError) as error:
        yield f"{tables.SERIES}, {tables.ALERTS}: {error}"
        return
    if not spans and not any(signal.series for signal in frozen):
        yield f"{tables.SERIES}, {tables.ALERTS}: Prometheus holds nothing of these minutes any more"
        return
    try:
        frozen += told(*window) if told else ()
    except (OSError, ValueError) as error:
        yield f"spans and logs: {error}"
    tables.write_series(out / tables.SERIES, frozen)
    tables.write_alerts(out / tables.ALERTS, [*spans, *silences])


def _make_portable(directory: Path, home: Path) -> None:
    """All that is frozen may be published, and cannot be changed then."""
    for path in directory.iterdir():
        if path.suffix != ".parquet":
            path.write_bytes(_portable(pa.scalar(path.read_bytes()), home).as_py())
            continue
        table = pq.read_table(path)
        for number, field in enumerate(table.schema):
            if pa.types.is_string(field.type):
                table = table.set_column(number, field, _portable(table.column(number), home))
        pq.write_table(table, path, compression="zstd")


def _portable(texts: Any, home: Path) -> Any:
    """A text, or a column of them, without the paths of this machine: the lab's and the checkout's, of which one may be in the other."""
    for place, name in sorted(((str(home), "var"), (str(REPOSITORY), ".")), key=lambda one: -len(one[0])):
        texts = pc.replace_substring(texts, place, name)
    return texts


def _hashes(directory: Path) -> dict[str, FrozenFile]:
    found = sorted(path for path in directory.iterdir() if path.name != MANIFEST)
    return {path.name: FrozenFile(sha256(path), path.stat().st_size, tables.rows(path)) for path in found}
