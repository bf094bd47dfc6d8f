"""Recorded drills as a root-cause data set: signals, calls, spans, logs and alerts of each case, and the truth apart from them, with hashes of everything.

A case is named at random, so that neither its name nor its place tells what was broken. docs/diagnosis.md has the formats.
"""

from __future__ import annotations

import csv
import secrets
import shutil
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from chaos import injections
from postmortems import evidence
from postmortems.diagnosis import files, judging, recorded
from postmortems.diagnosis.model import Case
from postmortems.diagnosis.moments import Moments
from postmortems.evidence import Snapshot
from reference_app.contract.topology import SERVICES
from reference_app.kit import files as kit_files
from reference_app.kit.home import Home
from reference_app.query import logs
from reference_app.query.logs import LogLine, Wanted
from reference_app.query.prometheus import AlertSpan

SCHEMA, TRUTH_SCHEMA = "failwhale/case/v1", "failwhale/truth/v1"
NORMAL, ANOMALOUS, CALLS, SPANS, LOGS, ALERTS, CASE = (
    "normal.csv", "anomalous.csv", "calls.csv", "spans.parquet", "logs.ndjson", "alerts.csv", "case.json",
)  # fmt: skip
TRUTH, SUMS = "truth.json", "SHA256SUMS"


@dataclass(frozen=True)
class About:
    """`case.json`. Times are Unix seconds; `missing` names what was no longer there."""

    case: str
    topology: str
    noticed_at: float
    normal: tuple[float, float]
    anomalous: tuple[float, float]
    missing: tuple[str, ...]
    schema: str = SCHEMA


@dataclass(frozen=True)
class Broken:
    """One fault; times are Unix seconds, `undone_at` None of one that was never taken back."""

    kind: str
    components: tuple[str, ...]
    injected_at: float
    undone_at: float | None


@dataclass(frozen=True)
class Truth:
    """What was done; nothing in a sham."""

    run_id: str
    drill: str
    sham: bool
    faults: tuple[Broken, ...]


@dataclass(frozen=True)
class Exported:
    """What was written, and of which runs there is no case and why."""

    cases: tuple[str, ...]
    left_out: tuple[str, ...]


def export(homes: Iterable[Home], out: Path) -> Exported:
    """Write the data set to the new directory `out`, which is not left behind without a case. Raises FileExistsError and OSError."""
    out.mkdir(parents=True)
    exported = None
    try:
        exported = _export(homes, out)
    finally:
        if exported is None or not exported.cases:
            shutil.rmtree(out)
    return exported


def _export(homes: Iterable[Home], out: Path) -> Exported:
    truths: dict[str, Truth] = {}
    left_out: list[str] = []
    for home, snapshot_dir in _snapshots(homes):
        try:
            snapshot = evidence.read(snapshot_dir)
            case = recorded.of_sham(snapshot) if snapshot.plan.sham else recorded.of_snapshot(snapshot)
        except (evidence.NoSnapshotError, recorded.NothingNoticedError) as error:
            left_out.append(f"{snapshot_dir.parent.name}: {error}")
        else:
            if not snapshot.plan.sham and not judging.truth(snapshot.events):
                left_out.append(f"{snapshot_dir.parent.name}: nobody knows what was broken")
                continue
            name = f"case-{secrets.token_hex(6)}"
            _write(home, snapshot, case, out / name)
            truths[name] = _truth(snapshot)
    kit_files.write_json(out / TRUTH, {"schema": TRUTH_SCHEMA, "cases": truths})
    sums = "".join(f"{evidence.sha256(path)}  {path.relative_to(out)}\n" for path in sorted(out.rglob("*")) if path.is_file())
    kit_files.write_atomic(out / SUMS, sums.encode())
    return Exported(tuple(sorted(truths)), tuple(left_out))


def _snapshots(homes: Iterable[Home]) -> Iterator[tuple[Home, Path]]:
    for home in homes:
        yield from ((home, path.parent) for path in sorted(home.incidents.glob(f"*/snapshot/{evidence.MANIFEST}")))


def _write(home: Home, snapshot: Snapshot, case: Case, into: Path) -> None:
    into.mkdir()
    noticed = _noticed(snapshot)
    normal, anomalous = recorded.periods(snapshot.plan.t0, noticed)
    until = float(anomalous[-1])
    files.write(case, Moments(normal, anomalous), normal=into / NORMAL, anomalous=into / ANOMALOUS, graph=into / CALLS)
    _write_alerts(into / ALERTS, [_as_of(until, alert) for alert in snapshot.alerts or () if alert.fired_at <= until])
    missing = [*_write_spans(home, into / SPANS, snapshot.plan.t0, until), *_write_logs(home, into / LOGS, snapshot.plan.t0, until)]
    about = About(
        into.name, snapshot.plan.topology, noticed, (float(normal[0]), float(normal[-1])), (float(anomalous[0]), until), tuple(missing)
    )  # fmt: skip
    kit_files.write_json(into / CASE, about)


def _noticed(snapshot: Snapshot) -> float:
    first = recorded.first_alert(snapshot.alerts or (), since=snapshot.plan.t0)
    if first is None or snapshot.plan.sham:
        return snapshot.plan.t0 + snapshot.plan.inject_at + recorded.GIVEN_S
    return first.fired_at


def _as_of(moment: float, alert: AlertSpan) -> AlertSpan:
    """What was known then: when an alert ends tells when its fault was undone."""
    return alert if alert.resolved_at is None or alert.resolved_at <= moment else replace(alert, resolved_at=None)


def _write_alerts(path: Path, alerts: Sequence[AlertSpan]) -> None:
    head = ("name", "component", "severity", "slo", "fired_at", "resolved_at")
    rows = [
        (one.name, *(one.labels.get(label, "") for label in head[1:4]), one.fired_at, "" if one.resolved_at is None else one.resolved_at)
        for one in alerts
    ]
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([head, *rows])


def _write_spans(home: Home, path: Path, since: float, until: float) -> Iterator[str]:
    """Of those that the collector still keeps; a segment that it retires meanwhile was merged into another."""
    wanted = [("start_ns", ">=", round(since * 1e9)), ("start_ns", "<=", round(until * 1e9))]
    found: list[pa.Table] = []
    for segment in sorted(home.traces.glob("*.parquet")):
        try:
            found.append(pq.read_table(segment, filters=wanted))
        except (FileNotFoundError, pa.ArrowInvalid):  # a crash left a part of it
            continue
    if not any(table.num_rows for table in found):
        yield f"{SPANS}: no span of these minutes is kept any more"
        return
    pq.write_table(pa.concat_tables(found), path, compression="zstd")


def _write_logs(home: Home, path: Path, since: float, until: float) -> Iterator[str]:
    """Of the services alone: who injects, supervises and undoes has logs of its own, and they know the answer."""
    services = tuple(f"{service}-" for service in SERVICES)
    kept: list[LogLine] = [one for one in logs.read(home.logs, Wanted(end=until)) if one.component.startswith(services)]
    lines = [line for line in kept if line.at >= since]
    if not lines:
        yield f"{LOGS}: no line of these minutes is kept any more"
        return
    begins = {line.component: line.at for line in reversed(kept)}
    if cut := sorted(name for name, at in begins.items() if at > since and (home.logs / f"{name}.log.1").exists()):
        yield f"{LOGS}: the first lines of {', '.join(cut)} are not kept any more"
    path.write_bytes(b"".join(msgspec.json.encode(line) + b"\n" for line in lines))


def _truth(snapshot: Snapshot) -> Truth:
    faults = tuple(
        Broken(each.applied.fault, each.applied.components, each.applied.at, each.undone.at if each.undone else None)
        for each in injections.of(snapshot.events)
    )
    return Truth(snapshot.plan.run_id, snapshot.plan.drill, snapshot.plan.sham, faults)
