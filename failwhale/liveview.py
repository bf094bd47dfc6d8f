"""A drill as it runs, in one line: second, phase, rates, p99, alerts."""

from __future__ import annotations

import time
from collections.abc import Callable

from failwhale.run import Run
from loadgen.progress import Progress, Snapshot
from reference_app.query.prometheus import PrometheusUnreachableError

PLAIN_EVERY_S = 5.0


def describe(now: Snapshot) -> str:
    """A snapshot of the load in words."""
    p99 = "-" if now.p99_ms is None else f"{now.p99_ms:.0f} ms"
    return (
        f"{now.load_second:5.0f} s  {now.phase:8}  offered {now.offered:5.1f}/s  good pages {now.good:5.1f}/s  "
        f"p99 {p99}  errors {now.errors:.1f}/s  posts acknowledged {now.acknowledged}"
    )


class LiveView:
    """On a terminal the line is redrawn by `show`; elsewhere `say` prints it when the phase or an alert changes, and every 5 s."""

    def __init__(self, *, show: Callable[[str], None] | None, say: Callable[[str], None]) -> None:
        self._show, self._say = show, say
        self._progress: Progress | None = None
        self._said_at, self._news = 0.0, ("", "")

    def draw(self, run: Run) -> None:
        """Look once."""
        assert run.plan is not None  # noqa: S101 - a drill is watched after its plan was written
        if self._progress is None:
            self._progress = Progress(run.run_dir, run.plan)
        snapshot, alerts = self._progress.read(time.time()), _alerts(run)
        text = f"{describe(snapshot)}  alerts {alerts}"
        if self._show is not None:
            self._show(text)
        elif (snapshot.phase, alerts) != self._news or time.monotonic() - self._said_at >= PLAIN_EVERY_S:
            self._said_at, self._news = time.monotonic(), (snapshot.phase, alerts)
            self._say(text)


def _alerts(run: Run) -> str:
    try:
        firing = [alert for alert in run.prometheus.active_alerts() if alert.state == "firing"]
    except PrometheusUnreachableError:
        return "unknown"
    return ", ".join(sorted(f"{a.name}({a.labels.get('slo') or a.labels.get('component', '')})" for a in firing)) or "none"
