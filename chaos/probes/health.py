"""Does the lab answer?"""

from __future__ import annotations

from chaos import aiming, session, targets
from reference_app.kit.home import Home
from reference_app.stack.control import Control, NotReadyError

__all__ = ["lab_is_healthy"]

ANSWER_SECONDS = 3.0


def lab_is_healthy(ignoring: list[str] | None = None) -> bool:
    """True when every component answers a real question; `ignoring` are the targets (chaos.targets) that the fault is meant to take away."""
    home = Home.from_environment()
    control = Control(home)
    ignored = {name for target in ignoring or [] for name in _meant(home, target)}
    asked = [component.name for component in control.lab.components if component.name not in ignored]
    try:
        control.wait_ready(asked, ANSWER_SECONDS)
    except NotReadyError:
        return False
    return True


def _meant(home: Home, target: str) -> tuple[str, ...]:
    """Only an expression needs a run to say what it means."""
    return aiming.meant(session.current(home), target) if targets.is_expression(target) else (target,)
