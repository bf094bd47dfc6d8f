"""The result of a drill: the object of `drill --json`, built from what was recorded. What did not run is None, never 0."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from chaos import aiming, alertscore, backlog, clocks, events, injections, journal, ownership, verdict
from chaos.alertscore import Score
from chaos.audit.model import Audit
from chaos.catalogue import Experiment, Extension, Verdict
from chaos.clocks import Clocks
from chaos.comparison import LoadSeen, Seen
from chaos.effect import Affected
from chaos.injections import Injection
from chaos.ownership import Share
from dashboards.rules import budget
from dashboards.rules.budget import Spent
from failwhale import faulted, twins
from failwhale.faulted import Fault
from loadgen.report import Load, PhaseReport, Report
from postmortems import evidence, heartbeat
from postmortems.diagnosis import judging
from postmortems.diagnosis.model import Diagnosed
from reference_app.contract import topology
from reference_app.contract.plan import Plan
from reference_app.kit import files
from reference_app.kit.home import REPOSITORY, Home
from reference_app.query import slo
from reference_app.query.prometheus import Prometheus, PrometheusUnreachableError

SCHEMA, FILE = "failwhale/drill/v1", "result.json"


@dataclass(frozen=True)
class BlastRadius:
    """Share of home pages in the fault phase that lacked something or were not served.

    `owned` is the share of users, keys or requests that belongs to the `targets`, whatever stands in for them.
    """

    predicted: float
    measured: float | None
    owned: float | None = None
    targets: tuple[Share, ...] = ()


@dataclass(frozen=True)
class Artifacts:
    """Paths relative to the repository where they are below it."""

    incident: str | None
    postmortem: str | None
    journal: str | None
    snapshot: str | None


@dataclass(frozen=True)
class Outcome:
    """`drill --json`. A `sham` has no faults: what its steps were aimed at is in `sham_steps`."""

    drill: str
    run_id: str
    seed: int
    topology: str
    started_at: str
    duration_s: float
    verdict: Verdict
    expected_verdict: str
    reasons: tuple[str, ...]
    passes_with: str | None
    faults: list[Fault]
    blast_radius: BlastRadius
    load: Load | None
    audit: Audit | None
    alerts: Score | None
    clocks: Clocks
    slo: dict[str, Spent] | None
    artifacts: Artifacts
    sham: bool = False
    machine: str | None = None
    deliveries: dict[str, float] | None = None
    sham_steps: list[Fault] = field(default_factory=list)
    diagnosis: Diagnosed | None = None
    schema: str = SCHEMA


@dataclass(frozen=True)
class _Signals:
    """What Prometheus knows of the run; None when it was not there to be asked. `affected` are operations by fault, in order."""

    score: Score | None = None
    affected: tuple[Affected, ...] | None = None
    spent: dict[str, Spent] | None = None
    deliveries: dict[str, float] | None = None
    drained: dict[int, bool] | None = None


def conclude(
    home: Home, plan: Plan, experiment: Experiment, *, load: Report | None, audit: Audit | None, interrupted: bool, began: float
) -> Outcome:
    """Judge the run by its record and put everything together."""
    run_dir = home.runs / plan.run_id
    recorded, toolkit, wanted = events.read(run_dir), journal.read(run_dir), experiment.extension.aimed(plan.targets)
    applied = injections.of(recorded)
    signals = _signals(home, plan, wanted, applied)
    faults = faulted.told(plan, applied, signals.affected)
    judgement = verdict.judge(
        verdict.Evidence(
            plan=plan, hypothesis=wanted.hypothesis, events=recorded, journal=toolkit, load=load, affected_operations=faulted.by_kind(faults),
            audit=audit, alerts=signals.score, interrupted=interrupted,
        )
    )  # fmt: skip
    series = load.series if load else []
    seen = Seen(
        plan.run_id, plan.drill, plan.seed, plan.topology, plan.sham, twins.machine(),
        LoadSeen(load.load.valid, load.load.phases) if load else None, signals.deliveries,
    )  # fmt: skip
    return Outcome(
        drill=plan.drill, run_id=plan.run_id, seed=plan.seed, topology=plan.topology, started_at=faulted.iso(began),
        duration_s=round(time.time() - began, 1), verdict=judgement.verdict, expected_verdict=plan.expected_verdict,
        reasons=(*judgement.reasons, *twins.remarks(home, seen)), passes_with=wanted.passes_with, faults=faults,
        blast_radius=_blast_radius(home, plan, wanted, load), load=load.load if load else None, audit=audit, alerts=signals.score,
        clocks=clocks.measure(series, recorded, t0=plan.t0, hypothesis=wanted.hypothesis, alerts=signals.score, drained=signals.drained),
        slo=signals.spent, artifacts=_artifacts(home, plan.run_id), sham=plan.sham,
        machine=seen.machine, deliveries=seen.deliveries,
        sham_steps=faulted.told(plan, injections.of(recorded, "sham_applied"), None),
    )  # fmt: skip


def skipped(experiment: Experiment, *, run_id: str, seed: int, topology: str, reason: str, began: float) -> Outcome:
    """The result of a drill that was not begun: nothing is recorded of it."""
    wanted = experiment.extension
    return Outcome(
        drill=experiment.name, run_id=run_id, seed=seed, topology=topology, started_at=faulted.iso(began), duration_s=round(time.time() - began, 1),
        verdict="skipped", expected_verdict=wanted.expected_verdict, reasons=(reason,), passes_with=wanted.passes_with, faults=[],
        blast_radius=BlastRadius(wanted.predicted_harm, None), load=None, audit=None, alerts=None, clocks=Clocks(), slo=None,
        artifacts=Artifacts(None, None, None, None),
    )  # fmt: skip


def write(run_dir: Path, result: Outcome) -> None:
    """Leave the result in the run directory."""
    files.write_json(run_dir / FILE, result)


def diagnosed(result: Outcome, snapshot: Path) -> Outcome:
    """The result with what diagnosis makes of the frozen signals. Raises evidence.NoSnapshotError."""
    return dataclasses.replace(result, diagnosis=judging.of_snapshot(evidence.read(snapshot)))


def without_postmortem(result: Outcome) -> Outcome:
    """The result of a run whose postmortem could not be drafted."""
    return dataclasses.replace(result, artifacts=Artifacts(None, None, result.artifacts.journal, None))


def _signals(home: Home, plan: Plan, wanted: Extension, applied: Sequence[Injection]) -> _Signals:
    prometheus, end = Prometheus(home.lab().prometheus_url), time.time()
    try:
        score = alertscore.score(
            [*prometheus.alert_spans(plan.t0, end), *heartbeat.spans(home, plan.t0, end)], expected=wanted.expected_alerts,
            tolerated=wanted.tolerated_alerts, injected_at=applied[0].applied.at if applied else None,
        )  # fmt: skip
        affected = faulted.measure(home, home.lab(), prometheus, plan, applied, now=end)
        measured = next(phase.start for phase in plan.phases if phase.recorded)
        spent = budget.spent(
            slo.read(edge=topology.has_edge(plan.topology)), prometheus, plan.t0 + measured, min(end, plan.t0 + plan.duration)
        )
        delivered = twins.deliveries(prometheus, plan)
        waiting = {name: prometheus.range(name, round(plan.t0, 3), plan.t0 + plan.duration) for name in backlog.SERIES}
    except PrometheusUnreachableError:
        return _Signals()
    return _Signals(score, affected, spent, delivered, backlog.drained(waiting, plan))


def _blast_radius(home: Home, plan: Plan, wanted: Extension, load: Report | None) -> BlastRadius:
    lab = home.lab()
    owned = aiming.owned(home, lab, wanted.truth.components)
    return BlastRadius(0.0 if plan.sham else wanted.predicted_harm, _harmed(load), ownership.largest(owned, lab.components), owned)


def _harmed(load: Report | None) -> float | None:
    fault: PhaseReport | None = load.load.phases.get("fault") if load else None
    if fault is None or not fault.home.sent:
        return None
    return round(1 - fault.pages_complete / fault.home.sent, 4)


def _artifacts(home: Home, run_id: str) -> Artifacts:
    incident, run_dir = home.incidents / run_id, home.runs / run_id
    return Artifacts(
        incident=_relative(incident), postmortem=_relative(incident / "postmortem.md"), journal=_relative(journal.path(run_dir)),
        snapshot=_relative(incident / "snapshot"),
    )  # fmt: skip


def _relative(path: Path) -> str:
    return str(path.relative_to(REPOSITORY) if path.is_relative_to(REPOSITORY) else path)
