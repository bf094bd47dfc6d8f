"""Every figure of a postmortem, derived from the frozen snapshot and from nothing else. Pure: the same snapshot gives the same figures."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields

from chaos import alertscore, backlog, clocks
from chaos.alertscore import Score
from chaos.clocks import Clocks
from loadgen import report
from loadgen.report import PhaseReport, Report
from postmortems import budget, evidence, harm, reconcile, tables, timeline, whitelist
from postmortems.evidence import Snapshot
from postmortems.harm import Harm
from postmortems.model import Figure, Manifest, TimelineRow
from reference_app.contract import metrics
from reference_app.contract import plan as plans
from reference_app.query.slo import Slo

Named = Iterator[tuple[str, Figure]]

AUDIT, RESULT = "audit.json", "result.json"
_POSTS = ("attempted", "acknowledged", "indeterminate", "lost", "duplicated", "missing_from_timelines")


@dataclass(frozen=True)
class Derivation:
    """What a snapshot says. `load`, `score` and `clocks` are as the drill computes them; a part without evidence is None."""

    figures: dict[str, Figure]
    load: Report | None
    score: Score | None
    clocks: Clocks
    timeline: tuple[TimelineRow, ...]


def derive(snapshot: Snapshot, manifest: Manifest) -> Derivation:
    """Derive everything. Phases are those of the plan without the warm-up."""
    load = report.build(snapshot.plan, snapshot.facts, snapshot.operations) if snapshot.operations is not None else None
    score, measured = _score(snapshot), _clocks(snapshot, load)
    rows = timeline.rows(snapshot.plan, snapshot.events, snapshot.alerts, measured, snapshot.changes, reported=snapshot.reported)
    named = [
        *_times(snapshot), *_requests(snapshot), *_latencies(snapshot, load), *_users(snapshot), *_posts(snapshot),
        *_objectives(snapshot), *_alerts(score), *_measured(measured), *_rows(rows), *_verdict(snapshot),
        *_counts(snapshot, manifest), *_factors(snapshot), *_reported(snapshot), *_files(manifest),
    ]  # fmt: skip
    return Derivation(dict(named), load, score, measured, rows)


def _score(snapshot: Snapshot) -> Score | None:
    if snapshot.alerts is None:
        return None
    expected, tolerated = (snapshot.experiment.expected_alerts, snapshot.experiment.tolerated_alerts) if snapshot.experiment else ((), ())
    injected_at, _ = timeline.fault_span(snapshot.events)
    return alertscore.score(snapshot.alerts, expected=expected, tolerated=tolerated, injected_at=injected_at)


def _clocks(snapshot: Snapshot, load: Report | None) -> Clocks:
    if load is None or snapshot.experiment is None:
        return Clocks()
    return clocks.measure(
        load.series, snapshot.events, t0=snapshot.plan.t0, hypothesis=snapshot.experiment.hypothesis, alerts=_score(snapshot),
        drained=backlog.drained(snapshot.series or {}, snapshot.plan),
    )  # fmt: skip


def _times(snapshot: Snapshot) -> Named:
    injected_at, undone_at = timeline.fault_span(snapshot.events)
    yield "time.load_started", Figure(snapshot.plan.t0, "time", plans.FILE)
    yield "time.load_ended", Figure(snapshot.plan.t0 + snapshot.plan.duration, "time", plans.FILE)
    yield "time.injected", Figure(injected_at, "time", tables.EVENTS)
    yield "time.undone", Figure(undone_at, "time", tables.EVENTS)


def _requests(snapshot: Snapshot) -> Named:
    for name, seen in _harm(snapshot).items():
        for part in ("total", "failed", "partial"):
            value = getattr(seen, "requests" if part == "total" else part) if seen else None
            yield f"requests.{name}.{part}", Figure(value, "count", tables.OPERATIONS)


def _harm(snapshot: Snapshot) -> dict[str, Harm | None]:
    phases = {phase.name: (phase.start, phase.end) for phase in snapshot.plan.phases if phase.recorded}
    spans = phases | {"all": (min(start for start, _ in phases.values()), snapshot.plan.duration)}
    if snapshot.operations is None:
        return dict.fromkeys(spans)
    return {name: harm.of(o for o in snapshot.operations if start <= o.due < end) for name, (start, end) in spans.items()}


def _latencies(snapshot: Snapshot, load: Report | None) -> Named:
    for phase in (p.name for p in snapshot.plan.phases if p.recorded):
        seen: PhaseReport | None = load.load.phases[phase] if load else None
        for op in ("home", "post"):
            latency = getattr(seen, op).latency_ms if seen else None
            for quantile in ("p50", "p99"):
                yield f"latency.{phase}.{op}_{quantile}", Figure(getattr(latency, quantile, None), "milliseconds", tables.OPERATIONS)


def _users(snapshot: Snapshot) -> Named:
    seen = _harm(snapshot)["all"]
    yield "users.active", Figure(getattr(seen, "users", None), "count", tables.OPERATIONS)
    yield "users.harmed", Figure(getattr(seen, "users_harmed", None), "count", tables.OPERATIONS)
    yield "users.harmed_seconds", Figure(getattr(seen, "user_seconds", None), "count", tables.OPERATIONS)


def _posts(snapshot: Snapshot) -> Named:
    for name in _POSTS:
        yield f"posts.{name}", Figure(getattr(snapshot.audit, name, None), "count", AUDIT)


def _objectives(snapshot: Snapshot) -> Named:
    for objective in snapshot.objectives:
        yield f"slo.{objective.name}.target", Figure(objective.objective, "share", evidence.OBJECTIVES)
        yield from _budget(snapshot, objective)


def _budget(snapshot: Snapshot, objective: Slo) -> Named:
    spent = budget.spent(objective, snapshot.plan, snapshot.series or {})
    source = f"{tables.SERIES}: {objective.good_selector} against {objective.total_selector}"
    yield f"slo.{objective.name}.total", Figure(getattr(spent, "total", None), "count", source)
    yield f"slo.{objective.name}.bad", Figure(getattr(spent, "bad", None), "count", source)
    yield f"slo.{objective.name}.budget_spent", Figure(getattr(spent, "budget", None), "share", source)


def _alerts(score: Score | None) -> Named:
    for name, severity in (("pages", "page"), ("tickets", "ticket")):
        count = sum(fired.severity == severity for fired in score.fired) if score else None
        yield f"alerts.{name}", Figure(count, "count", tables.ALERTS)
    for number, fired in enumerate(score.fired if score else (), 1):
        yield f"alert.{number}.name", Figure(fired.name, "text", tables.ALERTS)
        yield f"alert.{number}.after", Figure(fired.after_s, "seconds", f"{tables.ALERTS}, {tables.EVENTS}")
        yield f"alert.{number}.resolved_after", Figure(fired.resolved_s, "seconds", f"{tables.ALERTS}, {tables.EVENTS}")


def _measured(measured: Clocks) -> Named:
    for field in fields(measured):
        yield (
            f"clock.{field.name}",
            Figure(getattr(measured, field.name), "seconds", f"{tables.OPERATIONS}, {tables.EVENTS}, {tables.ALERTS}"),
        )


def _rows(rows: tuple[TimelineRow, ...]) -> Named:
    for number, row in enumerate(rows, 1):
        yield f"timeline.{number}", Figure(row.at, "time", row.source)
        yield f"timeline.{number}.what", Figure(row.text, "text", row.source)


def _verdict(snapshot: Snapshot) -> Named:
    yield "verdict", Figure(snapshot.outcome.verdict, "text", RESULT)
    yield "verdict.expected", Figure(snapshot.plan.expected_verdict, "text", plans.FILE)
    for number, reason in enumerate(snapshot.outcome.reasons, 1):
        yield f"reason.{number}", Figure(reason, "text", RESULT)


def _reported(snapshot: Snapshot) -> Named:
    if (found := snapshot.reported) is None:
        return
    acknowledged, resolved = found.acknowledged_at, found.resolved_at
    yield "incident.began", Figure(found.began_at, "time", evidence.REPORTED)
    yield "incident.acknowledged", Figure(acknowledged, "time", evidence.REPORTED)
    yield "incident.resolved", Figure(resolved, "time", evidence.REPORTED)
    yield "clock.tta_s", Figure(None if acknowledged is None else round(acknowledged - found.began_at, 3), "seconds", evidence.REPORTED)
    yield "clock.firing_s", Figure(None if resolved is None else round(resolved - found.began_at, 3), "seconds", evidence.REPORTED)


def _factors(snapshot: Snapshot) -> Named:
    for number, factor in enumerate(snapshot.factors.ranked if snapshot.factors else (), 1):
        parts = {"component": factor.component, "score": f"{factor.score:.2f}"}
        parts |= {"for": "; ".join(factor.reasons_for) or "nothing", "against": "; ".join(factor.reasons_against) or "nothing"}
        yield from ((f"factor.{number}.{name}", Figure(value, "text", evidence.FACTORS)) for name, value in parts.items())


def _counts(snapshot: Snapshot, manifest: Manifest) -> Named:
    clients = f"{tables.OPERATIONS}, {tables.EVENTS}, {evidence.WITNESS}"
    for count in reconcile.counts(snapshot, manifest.window):
        name = f"counts.{count.op}.{count.kind}"
        yield f"{name}.clients", Figure(count.least, "count", clients)
        yield f"{name}.clients_most", Figure(count.most, "count", clients)
        yield f"{name}.edge", Figure(count.edge, "count", f"{tables.SERIES}: {metrics.EDGE_RESPONSES.name}")
        yield f"{name}.gateway", Figure(count.gateway, "count", f"{tables.SERIES}: {whitelist.GATEWAY_REQUESTS}")


def _files(manifest: Manifest) -> Named:
    yield "time.frozen", Figure(manifest.frozen_at, "time", evidence.MANIFEST)
    for name, file in manifest.files.items():
        yield f"rows.{name}", Figure(file.rows, "count", evidence.MANIFEST)
        yield f"sha256.{name}", Figure(file.sha256, "hash", evidence.MANIFEST)
