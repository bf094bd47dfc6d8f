"""Faults of what processes live on: CPU that is rationed or taken by others, memory, file descriptors."""

from __future__ import annotations

import os
import resource
import sys
import time
from pathlib import Path
from typing import ClassVar

import msgspec

from chaos import cgroups, events
from chaos.faults.base import NotApplicableError, OnComponent, UnavailableError, bring_back, require_absent
from reference_app.kit.home import Home
from reference_app.stack import agents, marks

FEWEST_DESCRIPTORS, LOOKED_AT_S = 8, 1.0
"""Below, a process cannot even open what its own runtime needs to say so."""


class _ByCgroup(OnComponent, frozen=True):
    """A fault that is a group with a limit, into which the component's process is put. One that is started again meanwhile is free."""

    engine: ClassVar[str] = "cgroups"
    controller: ClassVar[str]

    def available(self) -> None:
        if cgroups.controller(self.controller) is None:
            raise UnavailableError(f"there is no cgroup controller {self.controller} that this user may write to in {cgroups.ROOT}")

    def check(self, home: Home) -> None:
        super().check(home)
        require_absent(self, home)

    def apply(self, home: Home) -> None:
        raise NotImplementedError

    def measured(self, home: Home) -> dict[str, float]:
        raise NotImplementedError

    def undo(self, home: Home) -> None:
        if (where := cgroups.controller(self.controller)) is not None:
            cgroups.dissolve(where, self._group(home))

    def in_effect(self, home: Home) -> bool:
        where = cgroups.controller(self.controller)
        return where is not None and cgroups.exists(where, self._group(home))

    def _group(self, home: Home) -> str:
        return f"failwhale-{home.lab().port_base}-{self.component}"

    def _where(self) -> cgroups.Controller:
        where = cgroups.controller(self.controller)
        if where is None:
            raise NotApplicableError(f"the cgroup controller {self.controller} is gone")
        return where


class CpuQuota(_ByCgroup, frozen=True, tag="cpu_quota"):
    """The component gets so many per cent of a core: it is slow by standing still within each tenth of a second, as in a throttled container.

    Or it gets so many per cent `of_use`, of what it takes at this moment: that starves it on any machine alike.
    """

    controller: ClassVar[str] = "cpu"

    percent: int = 20
    of_use: int = 0

    def check(self, home: Home) -> None:
        for name, value, least in (("percent", self.percent, 1), ("of_use", self.of_use, 0)):
            if not least <= value <= 100:
                raise NotApplicableError(f"{name} is {value}: it has to be between {least} and 100")
        super().check(home)

    def apply(self, home: Home) -> None:
        """Looks for a second at what the component takes, where the ration is a share of that."""
        pid = _pid(home, self.component)
        percent = _used_percent(pid) * self.of_use / 100 if self.of_use else float(self.percent)
        cgroups.limit_cpu(self._where(), self._group(home), 100 if self.sham else percent, [pid])

    def in_effect(self, home: Home) -> bool:
        where, leader = cgroups.controller(self.controller), marks.components(home.path).get(self.component)
        return where is not None and leader is not None and leader.pid in cgroups.members(where, self._group(home))

    def measured(self, home: Home) -> dict[str, float]:
        """Its ration, and how long it stood still for want of more."""
        where, group = self._where(), self._group(home)
        return {"percent": cgroups.cpu_percent(where, group), "throttled_s": round(cgroups.throttled_s(where, group), 3)}


class MemoryLimit(_ByCgroup, frozen=True, tag="memory_limit"):
    """The component may have so much memory; when it takes more the kernel kills it, and its supervisor starts it again, free."""

    controller: ClassVar[str] = "memory"

    limit_mib: int = 64

    def apply(self, home: Home) -> None:
        limit = 1 << 40 if self.sham else self.limit_mib << 20
        cgroups.limit_memory(self._where(), self._group(home), limit, [_pid(home, self.component)])

    def undo(self, home: Home) -> None:
        super().undo(home)
        bring_back(home, self.component)

    def measured(self, home: Home) -> dict[str, float]:
        """What it has under the limit, and how often the kernel killed it there."""
        where, group = self._where(), self._group(home)
        return {"used_mib": round(cgroups.memory_mib(where, group), 1), "killed": float(cgroups.memory_kills(where, group))}


class FewDescriptors(OnComponent, frozen=True, tag="few_descriptors"):
    """The component may open no more files and connections than it has open: accept() fails, and so does dialling."""

    engine: ClassVar[str] = "prlimit"

    former: tuple[int, int] = (0, 0)

    def apply(self, home: Home) -> None:
        if self.sham:
            return
        pid = _pid(home, self.component)
        highest = max(_open_files(pid))
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (max(FEWEST_DESCRIPTORS, highest + 1), self.former[1]))

    def undo(self, home: Home) -> None:
        """A process that died of it was, or will be, started with its own limit."""
        if self.in_effect(home):
            resource.prlimit(_pid(home, self.component), resource.RLIMIT_NOFILE, self.former)

    def in_effect(self, home: Home) -> bool:
        leader = marks.components(home.path).get(self.component)
        return leader is not None and resource.prlimit(leader.pid, resource.RLIMIT_NOFILE) != self.former

    def measured(self, home: Home) -> dict[str, float]:
        """Files and connections that it has open, and how high their numbers may go."""
        pid = _pid(home, self.component)
        allowed, _ = resource.prlimit(pid, resource.RLIMIT_NOFILE)
        return {"open_files": float(len(_open_files(pid))), "allowed_files": float(allowed)}


def few_descriptors(home: Home, component: str) -> FewDescriptors:
    """From the limit in force now. Raises NotApplicableError."""
    FewDescriptors(component).check(home)
    return FewDescriptors(component, former=resource.prlimit(_pid(home, component), resource.RLIMIT_NOFILE))


class CpuBurn(msgspec.Struct, frozen=True, tag="cpu_burn"):
    """So many processes burn the cores on which everything under test runs: a noisy neighbour."""

    kind: ClassVar[str] = "cpu_burn"
    event: ClassVar[events.Name] = "injected"
    engine: ClassVar[str] = "busy loops"
    momentary: ClassVar[bool] = False

    workers: int = 1
    sham: bool = False

    @property
    def components(self) -> tuple[str, ...]:
        return ()

    def available(self) -> None:
        """Processes are all it needs."""

    def check(self, home: Home) -> None:
        if not 1 <= self.workers <= 8:
            raise NotApplicableError(f"workers is {self.workers}: it has to be between 1 and 8")
        require_absent(self, home)

    def apply(self, home: Home) -> None:
        """On the cores that the first service may use, with its priority."""
        allowed = os.sched_getaffinity(_pid(home, home.lab().group("gateway")[0].name))
        for agent in self._agents() if not self.sham else ():
            agents.start(home, agent, ["taskset", "-c", ",".join(map(str, allowed)), sys.executable, "-c", "while True: pass"])

    def undo(self, home: Home) -> None:
        for agent in self._agents():
            agents.end(home, agent)

    def in_effect(self, home: Home) -> bool:
        return any(agents.running(home, agent) for agent in self._agents())

    def measured(self, home: Home) -> dict[str, float]:
        """CPU time that was burnt."""
        running = marks.components(home.path)
        return {"burnt_s": round(sum(_cpu_s(running[agent].pid) for agent in self._agents() if agent in running), 2)}

    def _agents(self) -> list[str]:
        return [f"cpu-burn-{number}" for number in range(self.workers)]


def _pid(home: Home, component: str) -> int:
    """Of its leader; a component of a lab is one process. Raises NotApplicableError when it does not run."""
    leader = marks.components(home.path).get(component)
    if leader is None:
        raise NotApplicableError(f"{component} does not run: `failwhale up` repairs the lab")
    return leader.pid


def _open_files(pid: int) -> list[int]:
    """Their numbers."""
    return [int(entry.name) for entry in Path(f"/proc/{pid}/fd").iterdir()]


def _used_percent(pid: int) -> float:
    """Of one core, in the second from now on."""
    began, used = time.monotonic(), _cpu_s(pid)
    time.sleep(LOOKED_AT_S)
    return 100 * (_cpu_s(pid) - used) / (time.monotonic() - began)


def _cpu_s(pid: int) -> float:
    """CPU time of a process, by its own clock (clock_getcpuclockid(3))."""
    return time.clock_gettime((~pid << 3) | 2)
