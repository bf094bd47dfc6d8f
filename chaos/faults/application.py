"""Faults within the app: a slice of the users meets errors, or waits, in one service, and a slice of the same size is counted to compare with."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

import httpx
import msgspec

from chaos import events
from chaos.faults import exposition
from chaos.faults.base import NotApplicableError, require_absent, state_of
from reference_app.contract import metrics
from reference_app.contract.topology import Component
from reference_app.kit import changes, deciders, files
from reference_app.kit.home import Home
from reference_app.kit.slices import BUCKETS, Slice

DECIDER = "request_faults"
LONGEST_DELAY_MS = 5000


class UserFault(msgspec.Struct, frozen=True, tag="user_fault"):
    """`percent` of the users meet an error, or wait `delay_ms`, in a service; as many others are counted only, to compare with.

    `components` are all instances of the service. `former` is the value of the decider before it.
    """

    event: ClassVar[events.Name] = "injected"
    engine: ClassVar[str] = "request headers"
    momentary: ClassVar[bool] = False

    components: tuple[str, ...]
    percent: float = 5.0
    delay_ms: int = 0
    salt: str = ""
    former: int = deciders.OFF
    sham: bool = False

    @property
    def kind(self) -> str:
        return "user_latency" if self.delay_ms else "user_errors"

    def available(self) -> None:
        """The services do it themselves."""

    def check(self, home: Home) -> None:
        if not 0 < self.percent <= 50:
            raise NotApplicableError(f"percent is {self.percent:g}: it has to be above 0 and at most 50, as many others are compared with")
        if not 0 <= self.delay_ms <= LONGEST_DELAY_MS:
            raise NotApplicableError(f"delay_ms is {self.delay_ms}: it has to be between 0, which means an error, and {LONGEST_DELAY_MS}")
        self._require_a_service(home)
        require_absent(self, home)

    def apply(self, home: Home) -> None:
        files.write_json(self._before_file(home), self._counted(home))
        service = self._instances(home)[0].group
        none, wanted = f"{service}=none", f"{service}={f'delay:{self.delay_ms}' if self.delay_ms else 'error'}"
        meant = Slice(none if self.sham else wanted, none, round(self.percent * BUCKETS / 100), self.salt)
        files.write_json(home.request_faults_file, meant, durable=True)
        deciders.write(home, DECIDER, deciders.ON, by=changes.CHAOS)

    def undo(self, home: Home) -> None:
        files.remove_durably(home.request_faults_file)
        deciders.write(home, DECIDER, self.former, by=changes.CHAOS)

    def in_effect(self, home: Home) -> bool:
        return home.request_faults_file.exists() and deciders.read(home.deciders_file)[DECIDER] == deciders.ON

    def measured(self, home: Home) -> dict[str, float]:
        """Requests that met it, and those of the users to compare with."""
        before = msgspec.json.decode(self._before_file(home).read_bytes(), type=dict[str, float])
        return {name: max(0.0, value - before[name]) for name, value in self._counted(home).items()}

    def _counted(self, home: Home) -> dict[str, float]:
        kinds = {"affected_operations": "delay" if self.delay_ms else "error", "compared_operations": "none"}
        return {name: sum(self._total(instance, kind) for instance in self._instances(home)) for name, kind in kinds.items()}

    def _total(self, instance: Component, kind: str) -> float:
        try:
            return exposition.total(instance, metrics.REQUEST_FAULTS.name, fault=kind)
        except httpx.HTTPError:  # it is down: what it counted is lost
            return 0.0

    def _instances(self, home: Home) -> list[Component]:
        return [home.lab().component(name) for name in self.components]

    def _require_a_service(self, home: Home) -> None:
        for name in self.components:
            state_of(home, name)
        groups = {instance.group for instance in self._instances(home)}
        if len(groups) != 1 or {i.kind for i in self._instances(home)} != {"service"}:
            raise NotApplicableError(
                f"{', '.join(self.components) or 'nobody'} is not one service: name all its instances, as all:tweets does"
            )
        (group,) = groups
        if missing := [c.name for c in home.lab().group(group) if c.name not in self.components]:
            raise NotApplicableError(f"users meet the fault in every instance of {group}, so {', '.join(missing)} has to be named, too")

    def _before_file(self, home: Home) -> Path:
        return home.chaos / "request-faults-before.json"
