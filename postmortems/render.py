"""Writing the draft: a header from the evidence, a text from the template. Pure; what is not known reads "not available"."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass

import jinja2
import yaml

from chaos import injections
from postmortems import charts, wording
from postmortems.evidence import Snapshot
from postmortems.figures import Derivation
from postmortems.model import TEMPLATE, Factors, Figure, Header, Manifest
from reference_app.contract import topology

FOR_PEOPLE: dict[str, object] = {
    "owner": "",
    "authors": [],
    "reviewers": [],
    "facilitator": "",
    "review_due": "",
    "tags": [],
    "related": [],
}
"""Fields of the front matter that nothing can fill but people."""
_HARMFUL_SHARE = 0.01


@dataclass(frozen=True)
class Clock:
    """A clock as the text explains it."""

    name: str
    title: str
    meaning: str


CLOCKS = (
    Clock("ttd_s", "time to detect", "from the injection to the first alert that told of it"),
    Clock("ttm_s", "time to mitigate", "from the injection to a mitigation by a person"),
    Clock("ttr_s", "time to recover", "from the injection to good service that lasted"),
    Clock("time_to_absorb_s", "time to absorb", "from the injection to good service while the fault was still on"),
    Clock("recovery_after_undo_s", "recovery after undo", "from the undoing of the fault to good service"),
    Clock(
        "drained_after_undo_s", "drained after undo", "from the undoing of the fault until queues were as before and replicas had caught up"
    ),
)


def header(snapshot: Snapshot, derived: Derivation, *, snapshot_sha256: str) -> Header:
    """The header of a run's incident; the run's id is the incident's."""
    plan = snapshot.plan
    title = f"{_symptom(derived)} (drill {plan.drill})" if plan.drill else _reported_symptom(snapshot)
    return Header(
        id=plan.run_id, title=title, drill=plan.drill, run_id=plan.run_id, topology=plan.topology,
        preset=plan.preset, seed=plan.seed, severity=_severity(derived), verdict=snapshot.outcome.verdict, expected_verdict=plan.expected_verdict,
        started_at=wording.iso_time(plan.t0), ended_at=wording.iso_time(plan.t0 + plan.duration), snapshot_sha256=snapshot_sha256,
        template=template_of(snapshot), real_incident=not plan.drill,
    )  # fmt: skip


def template_of(snapshot: Snapshot) -> str:
    """What is drafted unless somebody asks for another: of a drill the drill's, else the incident's."""
    return TEMPLATE if snapshot.plan.drill else "incident/v1"


def front_matter(head: Header) -> str:
    """YAML between the marks of a front matter, without the marks."""
    return yaml.safe_dump(asdict(head) | FOR_PEOPLE, sort_keys=False, allow_unicode=True, width=140)


def postmortem(head: Header, snapshot: Snapshot, derived: Derivation, manifest: Manifest) -> str:
    """The Markdown of the draft."""
    environment = jinja2.Environment(  # noqa: S701  (Markdown: nothing to escape)
        loader=jinja2.PackageLoader("postmortems"), undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True,
        keep_trailing_newline=True,
    )  # fmt: skip
    return environment.get_template(f"{head.template.partition('/')[0]}.md.j2").render(
        header=head, front_matter=front_matter(head), fault_sentence=_fault_sentence(snapshot), fig=_marker(derived.figures),
        reasons=len(snapshot.outcome.reasons), phases=[p.name for p in snapshot.plan.phases if p.recorded],
        objectives=[objective.name for objective in snapshot.objectives], charts=charts.NAMES, clocks=CLOCKS,
        fired=derived.score.fired if derived.score else (), timeline=derived.timeline, files=manifest.files, missing=manifest.missing,
        with_edge=topology.has_edge(snapshot.plan.topology), what="sham" if snapshot.plan.sham else "fault", factors=snapshot.factors or Factors(), known=derived.figures,
    )  # fmt: skip


def chart_files(snapshot: Snapshot, derived: Derivation) -> dict[str, str]:
    """Vega-Lite JSON by chart; none without a history of the load."""
    if derived.load is None:
        return {}
    drawn = charts.all_charts(derived.load.series, charts.marks(snapshot.plan, snapshot.events, snapshot.alerts or ()))
    return {name: chart.to_json(validate=False) for name, chart in drawn.items()}


def _marker(figures: dict[str, Figure]) -> Callable[[str], str]:
    return lambda name: wording.marked(name, figures[name])


def _fault_sentence(snapshot: Snapshot) -> str:
    if snapshot.plan.sham:
        return "nothing was broken: this is the sham, which takes every step of its drill without effect."
    injected = [each.applied for each in injections.of(snapshot.events)]
    if not injected:
        return "no fault was injected."
    applied = (f"`{event.fault}` was applied to {', '.join(f'`{name}`' for name in event.components) or 'the lab'}" for event in injected)
    return f"the fault {', and '.join(applied)}."


def _symptom(derived: Derivation) -> str:
    """What users met during the fault and after it, never why."""
    if _value(derived, "posts.lost"):
        return "Acknowledged posts were lost"
    failed, partial = (_worst_share(derived, part) for part in ("failed", "partial"))
    if failed is None or partial is None:
        return "What users met is not available"
    met = ["requests failed"] * (failed >= _HARMFUL_SHARE) + ["home pages were incomplete"] * (partial >= _HARMFUL_SHARE)
    return " and ".join(met).capitalize() or "Users met almost no harm"


def _reported_symptom(snapshot: Snapshot) -> str:
    """What the first page said, else the first alert."""
    alerts = snapshot.reported.alerts if snapshot.reported else ()
    first = min(alerts, key=lambda alert: (alert.severity != "page", alert.starts_at), default=None)
    return (first.summary or f"{first.name} fired for {first.subject}") if first else "What users met is not available"


def _severity(derived: Derivation) -> str:
    if _value(derived, "posts.lost"):
        return "SEV-1: acknowledged data was lost"
    if _value(derived, "alerts.pages"):
        return "SEV-2: a page fired"
    return wording.NOT_AVAILABLE if _value(derived, "alerts.pages") is None else "SEV-3: no page fired and no acknowledged data was lost"


def _worst_share(derived: Derivation, part: str) -> float | None:
    """Share of the requests in the phase, of the fault or after it, that had more of them."""
    shares = []
    for phase in ("fault", "after"):
        bad, total = _value(derived, f"requests.{phase}.{part}"), _value(derived, f"requests.{phase}.total")
        if bad is not None and total:
            shares.append(bad / total)
    return max(shares, default=None)


def _value(derived: Derivation, name: str) -> float | None:
    figure = derived.figures.get(name)
    value = figure.value if figure else None
    return value if isinstance(value, int | float) else None
