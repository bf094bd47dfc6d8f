"""What `failwhale status` says: every process, whether it answers, and what the lab weighs."""

from __future__ import annotations

from dataclasses import dataclass

from reference_app.kit.home import Home
from reference_app.stack import engines, marks, program
from reference_app.stack.control import Control, ProcessState

SCHEMA = "failwhale/status/v1"
UP = ("running", "starting")
"""supervisord calls a process `starting` in its first second; whether it answers decides."""


@dataclass(frozen=True)
class ProcessHealth:
    """A process and what was wrong with its answer; empty when nothing was."""

    name: str
    kind: str
    state: str
    pid: int | None
    port: int
    pss_mib: float | None
    uptime_s: float | None
    problem: str
    note: str = ""
    """What is worth knowing and no problem."""


@dataclass(frozen=True)
class Status:
    """The object of `status --json` (its `schema` is failwhale/status/v1)."""

    schema: str
    topology: str
    healthy: bool
    processes: list[ProcessHealth]
    pss_mib_total: float


def status(home: Home) -> Status:
    """Look at every process and ask each its question. Raises NoLabError when there is no lab."""
    acting = Control(home)
    unanswered = acting.unanswered()
    processes = [_health(acting, state, unanswered) for state in acting.states(memory=True)]
    processes.append(_supervisord(acting))
    return Status(
        schema=SCHEMA,
        topology=acting.lab.topology,
        healthy=all(p.state in UP and not p.problem for p in processes),
        processes=processes,
        pss_mib_total=round(sum(p.pss_mib or 0.0 for p in processes), 1),
    )


def _health(acting: Control, state: ProcessState, unanswered: dict[str, str]) -> ProcessHealth:
    problem = unanswered.get(state.name, "")
    component = acting.lab.component(state.name)
    note = "" if problem else f"the {component.role} now" if component.swapped else engines.note(component)
    return ProcessHealth(state.name, state.kind, state.state, state.pid, state.port, state.pss_mib, state.uptime_s, problem, note)


def _supervisord(acting: Control) -> ProcessHealth:
    process = marks.components(acting.home.path).get(program.SUPERVISORD)
    answers = acting.supervised()
    return ProcessHealth(
        name=program.SUPERVISORD,
        kind=program.SUPERVISORD,
        state="missing" if process is None else "paused" if process.stopped else "running",
        pid=process.pid if process else None,
        port=acting.lab.supervisor_port,
        pss_mib=round(marks.pss_mib(acting.home.path).get(program.SUPERVISORD, 0.0), 1) if process else None,
        uptime_s=round(marks.uptime_s(process), 1) if process else None,
        problem="" if answers else "does not answer",
    )
