"""What to do now about an incident that came without a drill, by its state and that of its postmortem. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from dashboards.rules import model
from postmortems.incidents import PAGE, LiveIncident
from postmortems.model import Header


@dataclass(frozen=True)
class NextStep:
    """`told` is Markdown; `command` does it from a terminal."""

    told: str
    command: str


def live(incident: LiveIncident) -> NextStep:
    """While nothing of it is frozen."""
    if incident.status == "open":
        return NextStep("**Acknowledge** it: then others know that somebody looks after it.", f"failwhale incident ack {incident.id}")
    if incident.status == "acknowledged":
        return NextStep(
            f"**Diagnose** it: read {_runbook(incident)}, look at what failed in its traces, and note what you see and do. "
            "Its evidence is frozen once its alerts have ended, or somebody closes it.",
            "failwhale trace failing --since 10m",
        )
    return NextStep(
        "It is over. **Draft** its postmortem while Prometheus still holds its minutes: that freezes the evidence and ranks who contributed.",
        f"failwhale postmortem new --incident {incident.id}",
    )


def recorded(header: Header) -> NextStep:
    """Once its evidence is frozen and its postmortem drafted."""
    if header.status == "draft":
        return NextStep(
            "**Write** what no counter sees into its postmortem, then ask for review.",
            f"failwhale postmortem review {header.id} --reviewer NAME",
        )
    if header.status == "in-review":
        return NextStep("**Publish** its postmortem once its reviewers have read it.", f"failwhale postmortem publish {header.id}")
    if header.status == "published":
        return NextStep(
            "**Close** its postmortem once a re-run of a drill shows each action, or it is declined.",
            f"failwhale postmortem close {header.id}",
        )
    return NextStep("Nothing is left to do: its postmortem is closed. Has it happened before?", f"failwhale postmortem similar {header.id}")


def _runbook(incident: LiveIncident) -> str:
    first = next((alert for alert in incident.alerts if alert.severity == PAGE), None)
    return f"`{first.runbook_url or model.runbook(first.name)}`" if first else "the runbooks in `docs/runbooks`"
