"""Does the lab answer?"""

from __future__ import annotations

from reference_app.kit.home import Home
from reference_app.stack.control import Control, NotReadyError

__all__ = ["lab_is_healthy"]

ANSWER_SECONDS = 3.0


def lab_is_healthy(ignoring: list[str] | None = None) -> bool:
    """True when every component answers a real question; `ignoring` names those that the fault is meant to take away."""
    control = Control(Home.from_environment())
    asked = [component.name for component in control.lab.components if component.name not in (ignoring or [])]
    try:
        control.wait_ready(asked, ANSWER_SECONDS)
    except NotReadyError:
        return False
    return True
