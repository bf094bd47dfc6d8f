"""Runs that may be compared: what is kept of one for that, and the sham twin of a drill among the runs of a home."""

from __future__ import annotations

import contextlib
from pathlib import Path

import msgspec

from chaos import comparison
from chaos.comparison import Seen
from failwhale.bench import measure
from reference_app.contract import metrics
from reference_app.contract.plan import Plan
from reference_app.kit.home import Home
from reference_app.query.prometheus import Prometheus

FILE, LATEST = "result.json", "latest"


class NoResultError(Exception):
    """There is no result of that run, or none that this version can read."""


def find(home: Home, run_id: str) -> Seen:
    """The run of that id, or the `latest` one with a result. Raises NoResultError."""
    known = sorted(path.parent.name for path in home.runs.glob(f"*/{FILE}"))
    if run_id == LATEST and known:
        run_id = known[-1]
    if run_id not in known:
        raise NoResultError(
            f"there is no result of a run {run_id!r} below {home.runs}; the last ones are {', '.join(known[-5:]) or 'none'}"
        )
    path = home.runs / run_id / FILE
    try:
        return _read(path)
    except msgspec.DecodeError as error:
        raise NoResultError(f"{path} cannot be read ({error}): it was left by another version") from error


def of(home: Home, drill: Seen) -> Seen | None:
    """The newest sham twin of the drill: the same seed, topology, machine and phases."""
    for path in sorted(home.runs.glob(f"*-{drill.drill}/{FILE}"), reverse=True):
        with contextlib.suppress(msgspec.DecodeError):  # of another version: no run to compare with
            if not comparison.why_no_twins(drill, seen := _read(path)):
                return seen
    return None


def remarks(home: Home, drill: Seen) -> tuple[str, ...]:
    """How steady the drill was beside its twin; nothing without one."""
    twin = None if drill.sham else of(home, drill)
    return tuple(comparison.steadiness(drill, twin)) if twin else ()


def deliveries(prometheus: Prometheus, plan: Plan) -> dict[str, float]:
    """Followers that fan-out served, by phase: whether one's timeline is in a cache depends on what was read before. Raises PrometheusUnreachableError."""
    served = f'{metrics.DELIVERIES.name}{{result=~"pushed|absent"}}'
    return {
        phase.name: round(prometheus.increase(served, plan.t0 + phase.start, plan.t0 + phase.end), 1)
        for phase in plan.phases
        if phase.recorded and phase.end > phase.start
    }


def machine() -> str:
    """What runs have to have in common: figures of another processor say nothing."""
    here = measure.machine()
    return f"{here.cores} x {here.cpu}"


def _read(path: Path) -> Seen:
    return msgspec.json.decode(path.read_bytes(), type=Seen)
