"""Network faults by packet rules: refuse, black hole, loss, lost connection requests, and a partition between groups of processes.

On loopback a rule sees each packet once. Counters are part of the rules, so a fault knows how many packets it hit.
"""

from __future__ import annotations

import os
from typing import ClassVar

import msgspec

from chaos import cgroups, connections, events, firewall
from chaos.cgroups import Controller
from chaos.faults.base import NotApplicableError, OnComponent, UnavailableError, in_force_already, require_absent
from reference_app.kit.home import Home
from reference_app.stack import marks, questions


class _ByRules(OnComponent, frozen=True):
    """A fault that is a table of rules on the component's port. A sham counts the same packets and lets them pass."""

    engine: ClassVar[str] = "nftables"

    def available(self) -> None:
        if reason := firewall.why_not():
            raise UnavailableError(f"{self.kind} is not possible here: {reason}")

    def check(self, home: Home) -> None:
        super().check(home)
        require_absent(self, home)

    def apply(self, home: Home) -> None:
        port = home.lab().component(self.component).port
        rules = [f"{match} counter{'' if self.sham else f' {verdict}'}" for match, verdict in self.rules(port)]
        firewall.put(self.table(home), filter=[*rules, *(() if self.sham else self.uncounted(port))])

    def undo(self, home: Home) -> None:
        firewall.drop(self.table(home))

    def in_effect(self, home: Home) -> bool:
        return firewall.present(self.table(home))

    def measured(self, home: Home) -> dict[str, float]:
        return {"packets": firewall.packets(self.table(home))}

    def table(self, home: Home) -> str:
        return firewall.table_name(home.lab().port_base, self.kind, self.component)

    def rules(self, port: int) -> list[tuple[str, str]]:
        """(which packets, what becomes of them)"""
        raise NotImplementedError

    def uncounted(self, port: int) -> list[str]:  # noqa: ARG002 - most count whatever they hit
        """Rules for packets that it hits and that are nobody's request."""
        return []


class Refuse(_ByRules, frozen=True, tag="refuse"):
    """Connections are refused, open ones are reset at their next packet: nobody listens there any more."""

    def rules(self, port: int) -> list[tuple[str, str]]:
        return [(f"tcp dport {port}", "reject with tcp reset")]


class Blackhole(_ByRules, frozen=True, tag="blackhole"):
    """Packets vanish in both directions: new connections hang, open ones fall silent."""

    def rules(self, port: int) -> list[tuple[str, str]]:
        return [(f"tcp dport {port}", "drop"), (f"tcp sport {port}", "drop")]


class Loss(_ByRules, frozen=True, tag="loss"):
    """A share of the packets vanishes. TCP sends them again after 200 ms at the least, a lost connection request after 1 s."""

    percent: int = 10

    def check(self, home: Home) -> None:
        if not 1 <= self.percent <= 99:
            raise NotApplicableError(f"percent is {self.percent}: it has to be between 1 and 99")
        super().check(home)

    def rules(self, port: int) -> list[tuple[str, str]]:
        drawn = f"numgen random mod 100 < {self.percent}"
        return [(f"tcp dport {port} {drawn}", "drop"), (f"tcp sport {port} {drawn}", "drop")]


class SynDrop(_ByRules, frozen=True, tag="syn_drop"):
    """Open connections go on, new ones hang: what a full listen queue looks like, and what pools hide.

    The lab's own questions, which connect anew each time, hang too and are not counted, unless it is `watchers` whom the fault is about. Other
    watchers always are: who reads a cache's figures or scrapes a service keeps a connection, and is seen only when that was lost.
    """

    watchers: bool = False

    def rules(self, port: int) -> list[tuple[str, str]]:
        which = "" if self.watchers else f" ip dscp != {questions.DSCP}"
        return [(f"{_asks_to_connect(port)}{which}", "drop")]

    def uncounted(self, port: int) -> list[str]:
        return [] if self.watchers else [f"{_asks_to_connect(port)} ip dscp {questions.DSCP} drop"]


class Partition(msgspec.Struct, frozen=True, tag="partition"):
    """Packets from `callers` to `callees` vanish; everybody else reaches both.

    The callers are put into a cgroup of their own, which rules can tell by the sockets that are opened in it; connections that are older
    are told by their ports.
    """

    kind: ClassVar[str] = "partition"
    event: ClassVar[events.Name] = "injected"
    engine: ClassVar[str] = "nftables and cgroups"
    momentary: ClassVar[bool] = False

    callers: tuple[str, ...]
    callees: tuple[str, ...]
    sham: bool = False

    @property
    def components(self) -> tuple[str, ...]:
        return self.callees

    def available(self) -> None:
        if reason := firewall.why_not() or _no_cgroups():
            raise UnavailableError(f"partition is not possible here: {reason}")

    def check(self, home: Home) -> None:
        self.available()
        for component in (*self.callers, *self.callees):
            OnComponent(component).check(home)
        if firewall.present(self.table(home)):
            raise in_force_already(self)

    def apply(self, home: Home) -> None:
        lab, leaders, tree, group = home.lab(), marks.components(home.path), _tree(), self._group(home)
        callers, ports = [leaders[caller].pid for caller in self.callers], {lab.component(callee).port for callee in self.callees}
        cgroups.gather(tree, group, callers)
        theirs = [f'socket cgroupv2 level 1 "{(tree.directory / group).relative_to(cgroups.ROOT)}"']
        if older := [port for caller in callers for port in connections.local_ports(caller, ports)]:
            theirs.append(f"tcp sport {firewall.either(older)}")
        verdict = "" if self.sham else " drop"
        firewall.put(self.table(home), filter=[f"tcp dport {firewall.either(ports)} {them} counter{verdict}" for them in theirs])

    def undo(self, home: Home) -> None:
        firewall.drop(self.table(home))
        cgroups.dissolve(_tree(), self._group(home))

    def in_effect(self, home: Home) -> bool:
        """A caller that was started again meanwhile is outside of the group, and reaches everybody."""
        leaders, inside = marks.components(home.path), cgroups.members(_tree(), self._group(home))
        gathered = all(caller in leaders and leaders[caller].pid in inside for caller in self.callers)
        return gathered and firewall.present(self.table(home))

    def measured(self, home: Home) -> dict[str, float]:
        return {"packets": firewall.packets(self.table(home))}

    def table(self, home: Home) -> str:
        return firewall.table_name(home.lab().port_base, self.kind)

    def _group(self, home: Home) -> str:
        return f"failwhale-{home.lab().port_base}-partition"


def _asks_to_connect(port: int) -> str:
    return f"tcp dport {port} tcp flags & (syn|ack) == syn"


def _tree() -> Controller:
    """Cgroups of version 2, which rules can name; with version 1 beside it they are below `unified`."""
    unified = cgroups.ROOT / "unified"
    return Controller(unified if (unified / "cgroup.procs").exists() else cgroups.ROOT, 2)


def _no_cgroups() -> str:
    directory = _tree().directory
    if not os.access(directory / "cgroup.procs", os.W_OK):
        return f"processes cannot be grouped: there are no writable cgroups (version 2) in {directory}"
    return ""
