"""What cause alerts are made of: tickets, and the expressions that several of them share.

Every cause waits for the *latch* of its signal, a series that says "this was well since Prometheus runs" and that ends when evaluation
stops. So a lab that is still starting is quiet, and a component that stays down for an hour stays reported for an hour.
"""

from __future__ import annotations

from dashboards.rules import model
from dashboards.rules.thresholds import Thresholds
from reference_app.contract import metrics

UP, SEEN_UP = "component:up:recent", "component:up:seen"
UNRESPONSIVE = "component:unresponsive"
"""1 for what does not answer the prober now and gave no caller an answer either."""
PROBE_MEDIAN, LAB_MEDIAN, HUNG_SHARE = "component:probe_seconds:median", "lab:probe_seconds:median", "components:hung:share"
MEMBER = "-(?:primary|replica)"
"""How the name of a member of a pair ends, whichever role it has now."""


def within(seconds: float) -> str:
    """A range: [5s]."""
    return f"[{model.duration(int(seconds))}]"


def latest(series: str, limits: Thresholds) -> str:
    """By range, since an instant look-up finds what a Prometheus recorded that was stopped less than 5 minutes ago."""
    return f"last_over_time({series}{within(3 * limits.evaluation_s)})"


def latch(record: str, signal: str, limits: Thresholds) -> model.Recording:
    """1 since the signal was 1 for the first time."""
    return model.Recording(record, f"{latest(signal, limits)} == 1 or {latest(record, limits)}")


def was_down(limits: Thresholds, suffix: str = "") -> str:
    """Components (of that name's ending) that were down at some time while they settle."""
    of = f'{{component=~".+{suffix}"}}' if suffix else ""
    return f"min_over_time({metrics.COMPONENT_UP.name}{of}{within(limits.settle_s)}) == 0"


def unless_pair_was_down(limits: Thresholds) -> str:
    """Reconnecting is no fault of a replica, and neither is what its primary did."""
    return (
        f"unless on (component) {was_down(limits)}\n"
        f'unless on (shard) label_replace({was_down(limits, MEMBER)}, "shard", "$1", "component", "(.+){MEMBER}")'
    )


def starved(limits: Thresholds, *, throughout: bool = False) -> str:
    """Half of the lab was slow to answer, or hung, at some time of the window or throughout: that is the machine, and no component."""
    over = "min_over_time" if throughout else "max_over_time"
    return (
        f"({over}({LAB_MEDIAN}{within(limits.hang_s)}) > {limits.probe_slow}"
        f" or {over}({HUNG_SHARE}{within(limits.hang_s)}) > {limits.starved_share})"
    )


def ticket(name: str, expr: str, summary: str, labels: dict[str, str] | None = None) -> model.Alert:
    """Causes are tickets, since only harmed users page."""
    return model.Alert(name, expr, {"severity": "ticket"} | (labels or {}), {"summary": summary, "runbook_url": model.runbook(name)})
