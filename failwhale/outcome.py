"""The result of a drill: the object of `drill --json`, built from what was recorded. What did not run is None, never 0."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from chaos import alertscore, clocks, effect, events, journal, verdict
from chaos.alertscore import Score
from chaos.audit.model import Audit
from chaos.catalogue import Experiment, Verdict
from chaos.clocks import Clocks
from chaos.events import Event
from dashboards.rules import budget
from dashboards.rules.budget import Spent
from loadgen.report import Load, PhaseReport, Report
from reference_app.contract import topology
from reference_app.contract.plan import Plan
from reference_app.kit import files
from reference_app.kit.home import REPOSITORY, Home
from reference_app.query import slo
from reference_app.query.prometheus import Prometheus, PrometheusUnreachableError

SCHEMA, FILE = "failwhale/drill/v1", "result.json"


@dataclass(frozen=True)
class Fault:
    """A fault as declared beside what was measured; times are ISO 8601 in UTC."""

    kind: str
    components: tuple[str, ...]
    engine: str
    injected_at: str | None
    undone_at: str | None
    reached_traffic: bool | None
    declared: dict[str, Any]
    measured: dict[str, Any]


@dataclass(frozen=True)
class BlastRadius:
    """Share of home pages in the fault phase that lacked something or were not served."""

    predicted: float
    measured: float | None


@dataclass(frozen=True)
class Artifacts:
    """Paths relative to the repository where they are below it."""

    incident: str | None
    postmortem: str | None
    journal: str | None
    snapshot: str | None


@dataclass(frozen=True)
class Outcome:
    """`drill --json` (docs/contracts.md)."""

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
    diagnosis: None = None
    schema: str = SCHEMA


@dataclass(frozen=True)
class _Signals:
    """What Prometheus knows of the run; None when it was not there to be asked."""

    score: Score | None = None
    affected: int | None = None
    spent: dict[str, Spent] | None = None


def conclude(
    home: Home, plan: Plan, experiment: Experiment, *, load: Report | None, audit: Audit | None, interrupted: bool, began: float
) -> Outcome:
    """Judge the run by its record and put everything together."""
    run_dir = home.runs / plan.run_id
    recorded, toolkit, wanted = events.read(run_dir), journal.read(run_dir), experiment.extension
    signals = _signals(Prometheus(home.lab().prometheus_url), plan, experiment, recorded)
    judgement = verdict.judge(
        verdict.Evidence(
            plan=plan, hypothesis=wanted.hypothesis, events=recorded, journal=toolkit, load=load, affected_operations=signals.affected,
            audit=audit, alerts=signals.score, interrupted=interrupted,
        )
    )  # fmt: skip
    series = load.series if load else []
    return Outcome(
        drill=plan.drill, run_id=plan.run_id, seed=plan.seed, topology=plan.topology, started_at=_iso(began),
        duration_s=round(time.time() - began, 1), verdict=judgement.verdict, expected_verdict=plan.expected_verdict,
        reasons=judgement.reasons, passes_with=wanted.passes_with, faults=_faults(plan, recorded, signals.affected),
        blast_radius=BlastRadius(wanted.predicted_harm, _harmed(load)), load=load.load if load else None, audit=audit, alerts=signals.score,
        clocks=clocks.measure(series, recorded, t0=plan.t0, hypothesis=wanted.hypothesis, alerts=signals.score),
        slo=signals.spent, artifacts=_artifacts(home, plan.run_id),
    )  # fmt: skip


def skipped(experiment: Experiment, *, run_id: str, seed: int, topology: str, reason: str, began: float) -> Outcome:
    """The result of a drill that was not begun: nothing is recorded of it."""
    wanted = experiment.extension
    return Outcome(
        drill=experiment.name, run_id=run_id, seed=seed, topology=topology, started_at=_iso(began), duration_s=round(time.time() - began, 1),
        verdict="skipped", expected_verdict=wanted.expected_verdict, reasons=(reason,), passes_with=wanted.passes_with, faults=[],
        blast_radius=BlastRadius(wanted.predicted_harm, None), load=None, audit=None, alerts=None, clocks=Clocks(), slo=None,
        artifacts=Artifacts(None, None, None, None),
    )  # fmt: skip


def write(run_dir: Path, result: Outcome) -> None:
    """Leave the result in the run directory."""
    files.write_json(run_dir / FILE, result)


def without_postmortem(result: Outcome) -> Outcome:
    """The result of a run whose postmortem could not be drafted."""
    return dataclasses.replace(result, artifacts=Artifacts(None, None, result.artifacts.journal, None))


def _signals(prometheus: Prometheus, plan: Plan, experiment: Experiment, recorded: Sequence[Event]) -> _Signals:
    injected, undone = events.first(recorded, "injected"), events.last(recorded, "undone")
    end = time.time()
    try:
        score = alertscore.score(
            prometheus.alert_spans(plan.t0, end), expected=experiment.extension.expected_alerts,
            tolerated=experiment.extension.tolerated_alerts, injected_at=injected.at if injected else None,
        )  # fmt: skip
        affected = None
        if injected is not None:
            until = undone.at if undone else end
            affected = effect.affected_operations(prometheus, injected.components, start=injected.at, end=until)
        measured = next(phase.start for phase in plan.phases if phase.recorded)
        spent = budget.spent(
            slo.read(edge=topology.has_edge(plan.topology)), prometheus, plan.t0 + measured, min(end, plan.t0 + plan.duration)
        )
    except PrometheusUnreachableError:
        return _Signals()
    return _Signals(score, affected, spent)


def _faults(plan: Plan, recorded: Sequence[Event], affected: int | None) -> list[Fault]:
    injected = events.first(recorded, "injected")
    if injected is None:
        return []
    undone = next((e for e in recorded if e.event == "undone" and e.fault == injected.fault), None)
    return [
        Fault(
            kind=injected.fault, components=injected.components, engine=injected.detail.get("engine", ""),
            injected_at=_iso(injected.at), undone_at=_iso(undone.at) if undone else None,
            reached_traffic=None if affected is None else affected >= verdict.REACHED_TRAFFIC,
            declared={"duration_s": plan.undo_at - plan.inject_at} | injected.detail.get("parameters", {}),
            measured={"duration_s": round(undone.at - injected.at, 2) if undone else None, "affected_operations": affected}
            | (undone.detail.get("measured", {}) if undone else {}),
        )
    ]  # fmt: skip


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


def _iso(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
