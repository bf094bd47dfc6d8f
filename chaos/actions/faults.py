"""Faults of processes and of the network, and the undo of whatever a run did."""

from __future__ import annotations

from typing import Any

from chaoslib.exceptions import ActivityFailed

from chaos import session, undo
from chaos.actions.injecting import injected
from chaos.faults.network import Blackhole, Loss, Partition, Refuse, SynDrop
from chaos.faults.process import CrashLoop, Kill, KillAndHold, Pause
from chaos.faults.toxics import Spoil
from chaos.proxy.toxics import Attributes, Toxic, ToxicType
from chaos.session import NoSessionError
from reference_app.kit.home import Home

__all__ = [
    "bandwidth", "blackhole", "crash_loop", "kill", "kill_and_hold", "latency", "loss", "partition", "pause", "refuse", "reset_peer",
    "slicer", "syn_drop", "timeout", "undo_all",
]  # fmt: skip


def kill(component: str, configuration: dict[str, Any] | None = None) -> str:
    """Kill -9 the component once; its supervisor starts it again."""
    return injected(Kill(component), configuration)


def kill_and_hold(component: str, configuration: dict[str, Any] | None = None) -> str:
    """Kill -9 the component and keep it down until the undo. Without effect under `inject: false`, as every fault."""
    return injected(KillAndHold(component), configuration)


def crash_loop(component: str, every_s: float = 3.0, configuration: dict[str, Any] | None = None) -> str:
    """Kill -9 the component every so many seconds, whatever its supervisor does about it."""
    return injected(CrashLoop(component, every_s=every_s), configuration)


def pause(component: str, configuration: dict[str, Any] | None = None) -> str:
    """SIGSTOP the component: it accepts connections and answers nothing."""
    return injected(Pause(component), configuration)


def refuse(component: str, configuration: dict[str, Any] | None = None) -> str:
    """Connections to the component are refused, open ones reset (nftables)."""
    return injected(Refuse(component), configuration)


def blackhole(component: str, configuration: dict[str, Any] | None = None) -> str:
    """Packets to and from the component vanish (nftables)."""
    return injected(Blackhole(component), configuration)


def loss(component: str, percent: int = 10, configuration: dict[str, Any] | None = None) -> str:
    """A share of the packets to and from the component vanishes (nftables)."""
    return injected(Loss(component, percent=percent), configuration)


def syn_drop(component: str, watchers: bool = False, configuration: dict[str, Any] | None = None) -> str:  # noqa: FBT001, FBT002 - the toolkit lists no others
    """Open connections to the component go on, new ones hang (nftables); those of the lab's own questions count if `watchers` are meant."""
    return injected(SynDrop(component, watchers=watchers), configuration)


def partition(callers: list[str], callees: list[str], configuration: dict[str, Any] | None = None) -> str:
    """The callers' packets to the callees vanish; everybody else reaches both (nftables and cgroups)."""
    return injected(Partition(tuple(callers), tuple(callees)), configuration)


def latency(component: str, latency_ms: int, jitter_ms: int = 0, configuration: dict[str, Any] | None = None) -> str:
    """Answers of the component come later by so much, plus or minus the jitter (fault proxy)."""
    return _spoiled(component, "latency", Attributes(latency=latency_ms, jitter=jitter_ms), configuration)


def bandwidth(component: str, rate_kb_s: int, configuration: dict[str, Any] | None = None) -> str:
    """Answers of the component come at so many KB/s a connection (fault proxy)."""
    return _spoiled(component, "bandwidth", Attributes(rate=rate_kb_s), configuration)


def slicer(component: str, average_bytes: int, delay_us: int = 0, configuration: dict[str, Any] | None = None) -> str:
    """Answers of the component come in small pieces, each so many microseconds after the one before (fault proxy)."""
    return _spoiled(
        component, "slicer", Attributes(average_size=average_bytes, size_variation=average_bytes // 2, delay=delay_us), configuration
    )


def timeout(component: str, timeout_ms: int = 0, configuration: dict[str, Any] | None = None) -> str:
    """Answers of the component vanish; the connection is closed after the timeout, with 0 never (fault proxy)."""
    return _spoiled(component, "timeout", Attributes(timeout=timeout_ms), configuration)


def reset_peer(component: str, timeout_ms: int = 0, configuration: dict[str, Any] | None = None) -> str:
    """Connections to the component are reset so many milliseconds after it began to answer (fault proxy)."""
    return _spoiled(component, "reset_peer", Attributes(timeout=timeout_ms), configuration)


def undo_all() -> list[str]:
    """Take back the faults of this run, newest first, and leave what is set for the whole of it. Another run's are left alone: rollbacks are
    played after a veto too.
    """
    home = Home.from_environment()
    try:
        run = session.current(home)
    except NoSessionError:
        return []
    done = undo.replay(home, by="rollback", run_id=run.run_id, whole_run=False)
    failed = [f"{result.record.fault.kind}: {result.error}" for result in done if result.error]
    if failed:
        raise ActivityFailed(f"not undone: {'; '.join(failed)}. `failwhale chaos undo` tries again")
    return [result.record.fault.kind for result in done]


def _spoiled(component: str, toxic: ToxicType, attributes: Attributes, configuration: dict[str, Any] | None) -> str:
    return injected(Spoil(component, toxics=(Toxic(toxic, attributes=attributes),)), configuration)
