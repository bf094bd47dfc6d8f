"""Every fault family there is. A new one is a file beside this one and a name in this union."""

from __future__ import annotations

from chaos.faults.config import SetDecider
from chaos.faults.process import KillAndHold

AnyFault = KillAndHold | SetDecider
