"""Run-time switches: set for the time of a run, because an experiment needs it, or flipped to a bad value, which is the fault."""

from __future__ import annotations

from typing import Any

from chaoslib.exceptions import ActivityFailed

from chaos import session, undo
from chaos.actions.injecting import injected_each
from chaos.faults import config
from chaos.faults.base import NotApplicableError
from chaos.session import NotAllowedError
from reference_app.kit.home import Home

__all__ = ["flip_decider", "set_decider"]


def set_decider(name: str, value: int) -> str:
    """Set a decider (0 off, 10000 on) until the run ends; it goes back to the value it had. Also in a rehearsal: it is a setting, not the fault."""
    home = Home.from_environment()
    try:
        undo.inject(session.current(home), config.setting(home, name, value))
    except (NotApplicableError, NotAllowedError) as refused:
        raise ActivityFailed(str(refused)) from refused
    return f"{name} = {value}"


def flip_decider(component: str, name: str, value: int, configuration: dict[str, Any] | None = None) -> str:
    """Set a decider to a value that does harm; the component is where most of it is done."""
    return injected_each(component, lambda home, hit: config.flip(home, hit, name, value), configuration)
