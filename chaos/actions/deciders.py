"""Lab settings that an experiment needs: run-time switches, set for the time of the run."""

from __future__ import annotations

from chaoslib.exceptions import ActivityFailed

from chaos import session, undo
from chaos.faults import config
from chaos.faults.base import NotApplicableError
from chaos.session import NotAllowedError
from reference_app.kit.home import Home

__all__ = ["set_decider"]


def set_decider(name: str, value: int) -> str:
    """Set a decider (0 off, 10000 on) until the run ends; it goes back to the value it had. Also in a rehearsal: it is a setting, not the fault."""
    home = Home.from_environment()
    try:
        undo.inject(session.current(home), config.setting(home, name, value))
    except (NotApplicableError, NotAllowedError) as refused:
        raise ActivityFailed(str(refused)) from refused
    return f"{name} = {value}"
