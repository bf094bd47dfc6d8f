"""Every fault there is. A new one is a class in one of these files and a name in this union."""

from __future__ import annotations

import msgspec

from chaos.faults.application import UserFault
from chaos.faults.base import NotApplicableError
from chaos.faults.caches import EvictionStorm, FlushCache, StarveCache
from chaos.faults.change import BadConfig, Restart
from chaos.faults.config import FlipDecider, SetDecider
from chaos.faults.data import DeleteWithoutWhere
from chaos.faults.databases import ExhaustConnections, HangWrites, LockTable, ReadOnly, SlowQueries, StopReplica
from chaos.faults.disk import DiskFull, SmallDisk
from chaos.faults.limits import DeleteLimits, SetLimits
from chaos.faults.messages import PoisonMessage
from chaos.faults.network import Blackhole, Loss, Partition, Refuse, SynDrop
from chaos.faults.process import CrashLoop, Kill, KillAndHold, Pause
from chaos.faults.resources import CpuBurn, CpuQuota, FewDescriptors, MemoryLimit
from chaos.faults.rings import RingChange, SetRing
from chaos.faults.toxics import Spoil
from chaos.faults.traffic import HotKey

_Process = Kill | KillAndHold | Pause | CrashLoop
_Network = Refuse | Blackhole | Loss | SynDrop | Partition | Spoil
_Data = (
    FlushCache | EvictionStorm | StarveCache | LockTable | SlowQueries | HangWrites | ExhaustConnections | StopReplica | ReadOnly
    | DeleteWithoutWhere | DeleteLimits
)  # fmt: skip
_Resource = CpuQuota | MemoryLimit | FewDescriptors | CpuBurn
_Disk = SmallDisk | DiskFull
_Application = UserFault | PoisonMessage
_Change = Restart | BadConfig | RingChange | SetRing | SetDecider | FlipDecider | SetLimits
AnyFault = _Process | _Network | _Data | _Disk | _Resource | _Application | HotKey | _Change


def require_typed(fault: AnyFault) -> None:
    """Its arguments are checked when a record of it is read, which is too late. Raises NotApplicableError: nobody could take it back."""
    try:
        msgspec.json.decode(msgspec.json.encode(fault), type=AnyFault)
    except (msgspec.MsgspecError, TypeError) as error:
        raise NotApplicableError(f"{fault.kind} has an argument of a wrong type, with which it could not be taken back: {error}") from None
