"""What stands at the top of Live: what is going on (faults, a halt, a run), what users get, what alerts say, and how the host does. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from dashboards.console.draw import markup, units
from dashboards.console.draw.plot import Frame
from dashboards.console.draw.red import latest, summed
from dashboards.console.lab import states
from dashboards.console.lab.sight import Sight, Signals
from dashboards.console.lab.signals import TAIL
from reference_app.contract import metrics
from reference_app.query.prometheus import ActiveAlert, Series

Tone = Literal["fault", "halt"]
PRESSED = 0.5
"""Above this share of time in which somebody waited for a resource, measurements of the lab are those of the host."""


@dataclass(frozen=True)
class Notice:
    """A line above everything else."""

    tone: Tone
    title: str
    text: str


@dataclass(frozen=True)
class Figure:
    """A number that users would care about, and what it is."""

    title: str
    value: str
    note: str
    bad: bool = False


@dataclass(frozen=True)
class Alert:
    """An alert that is pending or firing, `since` in words."""

    name: str
    about: str
    severity: str
    state: str
    since: str


@dataclass(frozen=True)
class Pressure:
    """Share of time, 0 to 1."""

    resource: str
    share: float
    high: bool


def notices(sight: Sight) -> Iterator[Notice]:
    """Faults in force, then a halt."""
    for active in sight.active:
        if active.components:
            watched = (
                "its lease is renewed each second"
                if active.lease_until
                else "nobody holds a lease for it: `failwhale chaos undo` takes it back"
            )
            since = f"for {units.lasting(sight.at - active.since)}, since {units.clock(active.since)} UTC"
            yield Notice(
                "fault", f"Fault in force: {active.fault} on {', '.join(active.components)}", f"{since} · run {active.run_id} · {watched}"
            )
    if sight.halted is not None:
        yield Notice("halt", "Chaos is halted", f"{sight.halted} · no fault is applied until it is resumed")


def figures(signals: Signals, frame: Frame) -> list[Figure]:
    """What users get at this moment."""
    pages, complete = _outcome(signals, frame, "pages"), _outcome(signals, frame, "pages", "complete")
    posts = _outcome(signals, frame, "posts", "acknowledged")
    refused = (_outcome(signals, frame, "posts", "refused") or 0) + (_outcome(signals, frame, "posts", "indeterminate") or 0)
    whole = None if not pages else (complete or 0) / pages
    return [
        Figure("Home pages", units.rate(pages), "served per second"),
        Figure("Complete", units.share(whole), "of them lack nothing", bad=whole is not None and whole < 0.99),
        Figure("Posts", units.rate(posts), f"acknowledged; {units.rate(refused)} not", bad=refused > 0),
        Figure("Latency", units.seconds(_tail(signals, frame, "gateway")), "p99 at the gateway"),
        Figure("Delivery", units.seconds(_tail(signals, frame, "fanout")), "p99, until it is on timelines"),
    ]


def alerts(active: list[ActiveAlert], now: float) -> list[Alert]:
    """Pages first, the newest first among equals."""
    ordered = sorted(active, key=lambda alert: (alert.labels.get("severity") != "page", alert.state != "firing", -alert.active_at))
    return [
        Alert(
            alert.name, alert.labels.get("slo") or alert.labels.get("component", ""), alert.labels.get("severity", ""), alert.state,
            units.lasting(now - alert.active_at),
        )
        for alert in ordered
    ]  # fmt: skip


def pressures(signals: Signals, frame: Frame) -> list[Pressure]:
    """How long somebody waited for CPU, memory and I/O, over the last ten seconds."""
    told = {
        s.labels.get("resource", ""): latest(s.points, frame) for s in signals.levels if s.labels.get("__name__") == metrics.PRESSURE.name
    }
    return [Pressure(name, share, share > PRESSED) for name, share in sorted(told.items()) if share is not None]


def html(sight: Sight, frame: Frame) -> str:
    """Users, alerts, host and deciders as markup; without signals only what files tell."""
    told = sight.signals
    free = states.values(told.state, metrics.DISK_FREE, "__name__") if told else {}
    return markup.render(
        "overview", figures=figures(told, frame) if told else [], alerts=alerts(told.alerts, sight.at) if told else None,
        pressures=pressures(told, frame) if told else [], disk_free=free.get(metrics.DISK_FREE.name), settings=sight.settings,
    )  # fmt: skip


def notices_html(sight: Sight) -> str:
    """The lines above everything else, as markup; empty when there is none."""
    found = list(notices(sight))
    return markup.render("notices", notices=found) if found else ""


def _outcome(signals: Signals, frame: Frame, what: str, result: str | None = None) -> float | None:
    chosen: list[Series] = [s for s in signals.outcomes if s.labels.get("what") == what and result in (None, s.labels.get("result"))]
    return latest(summed(chosen), frame)


def _tail(signals: Signals, frame: Frame, service: str) -> float | None:
    wanted = {"service": service, "quantile": str(TAIL)}
    return next((latest(s.points, frame) for s in signals.latency if wanted.items() <= s.labels.items()), None)
