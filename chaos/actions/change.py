"""Changes that people make to a running system: restarts, deploys, rings of caches."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from chaoslib.exceptions import ActivityFailed

from chaos import session, undo
from chaos.actions.injecting import injected
from chaos.faults import rings
from chaos.faults.base import NotApplicableError
from chaos.faults.change import BadConfig, Restart
from chaos.faults.rings import RingChange, SetRing
from chaos.session import NotAllowedError
from reference_app.kit.home import Home

__all__ = ["bad_config", "restart_at_once", "ring_change", "rolling_restart", "set_ring"]


def rolling_restart(components: list[str], pause_s: float = 2.0, configuration: dict[str, Any] | None = None) -> str:
    """Restart the components one after the other: the next so many seconds after the last one was ready."""
    return injected(Restart(tuple(components), pause_s=pause_s), configuration)


def restart_at_once(components: list[str], configuration: dict[str, Any] | None = None) -> str:
    """Restart all the components at the same moment."""
    return injected(Restart(tuple(components), at_once=True), configuration)


def bad_config(component: str, sql_timeout_ms: float = 1.0, configuration: dict[str, Any] | None = None) -> str:
    """Deploy a service (tweets, users or graph) with a time limit of its statements that is far too short."""
    return injected(BadConfig(component, sql_timeout_ms=sql_timeout_ms), configuration)


def ring_change(group: str, add: Sequence[str] = (), remove: Sequence[str] = (), configuration: dict[str, Any] | None = None) -> str:
    """Let caches join or leave the ring of a group: all at once with the decider ring_guard off, else one at a time with 5 s between."""
    home = Home.from_environment()
    try:
        former, nodes = rings.wanted(home, group, add=add, remove=remove)
    except NotApplicableError as refused:
        raise ActivityFailed(str(refused)) from refused
    return injected(RingChange(group, nodes, former, _before_the_run(home, group, former)), configuration)


def set_ring(group: str, remove: Sequence[str]) -> str:
    """Take caches out of the ring of a group until the run ends, so that a fault can add them. Also in a rehearsal: it is no fault."""
    home = Home.from_environment()
    try:
        former, nodes = rings.wanted(home, group, remove=remove)
        undo.inject(session.current(home), SetRing(group, nodes, former, former), whole_run=True)
    except (NotApplicableError, NotAllowedError) as refused:
        raise ActivityFailed(str(refused)) from refused
    return f"the ring of {group}: {' '.join(nodes)}"


def _before_the_run(home: Home, group: str, now: tuple[str, ...]) -> tuple[str, ...]:
    settings = (record.fault for record in undo.pending(home) if isinstance(record.fault, SetRing) and record.fault.group == group)
    return next((setting.back_to for setting in settings), now)
