"""Every fault family there is. A new one is a file beside this one and a name in this union."""

from __future__ import annotations

from chaos.faults.config import SetDecider
from chaos.faults.network import Blackhole, Loss, Partition, Refuse, SynDrop
from chaos.faults.process import CrashLoop, Kill, KillAndHold, Pause
from chaos.faults.toxics import Spoil

AnyFault = Kill | KillAndHold | Pause | CrashLoop | Refuse | Blackhole | Loss | SynDrop | Partition | Spoil | SetDecider
