"""Faults of what says how much users may do: its data is deleted, as on 2023-02-08."""

from __future__ import annotations

from typing import ClassVar

import msgspec

from chaos import events
from chaos.faults import exposition
from chaos.faults.base import NotApplicableError, OnComponent
from reference_app.contract import metrics
from reference_app.kit import limits
from reference_app.kit.home import Home


class DeleteLimits(OnComponent, frozen=True, tag="delete_limits"):
    """Nobody knows the limits that the component enforces; it knows that 200 ms later. Of several gateways all lose them."""

    engine: ClassVar[str] = "limits file"

    former: dict[str, int] = msgspec.field(default_factory=dict)
    before: float = 0.0
    """Posts whose limit nobody knew, until now."""

    def check(self, home: Home) -> None:
        super().check(home)
        if (group := home.lab().component(self.component).group) != "gateway":
            raise NotApplicableError(f"{self.component} is a {group}: limits are enforced by gateways")
        if not self.former:
            raise NotApplicableError(f"there are no limits in {home.limits_file}: nothing would be lost")

    def apply(self, home: Home) -> None:
        if not self.sham:
            limits.write(home.limits_file, {})

    def undo(self, home: Home) -> None:
        limits.write(home.limits_file, self.former)

    def in_effect(self, home: Home) -> bool:
        return limits.read(home.limits_file) != self.former

    def measured(self, home: Home) -> dict[str, float]:
        """Posts whose limit nobody knew."""
        return {"affected_operations": _without_a_limit(home, self.component) - self.before}


class SetLimits(msgspec.Struct, frozen=True, tag="set_limits"):
    """The limits that a run starts from: a setting, and no fault."""

    kind: ClassVar[str] = "set_limits"
    event: ClassVar[events.Name] = "prepared"
    engine: ClassVar[str] = "limits file"
    momentary: ClassVar[bool] = False

    wanted: dict[str, int]
    former: dict[str, int] = msgspec.field(default_factory=dict)
    sham: bool = False

    @property
    def components(self) -> tuple[str, ...]:
        return ()

    def available(self) -> None:
        """A file is all it needs."""

    def check(self, home: Home) -> None:  # noqa: ARG002
        if not self.wanted or min(self.wanted.values()) < 1:
            raise NotApplicableError(f"limits are at least 1 a day, not {self.wanted}")

    def apply(self, home: Home) -> None:
        limits.write(home.limits_file, self.wanted)

    def undo(self, home: Home) -> None:
        limits.write(home.limits_file, self.former)

    def in_effect(self, home: Home) -> bool:
        return limits.read(home.limits_file) == self.wanted

    def measured(self, home: Home) -> dict[str, float]:
        """The limits as gateways read them."""
        return {name: float(limit) for name, limit in limits.read(home.limits_file).items()}


def deletion(home: Home, component: str) -> DeleteLimits:
    """Of the limits that there are now. Raises NotApplicableError."""
    asked = DeleteLimits(component, former=limits.read(home.limits_file))
    asked.check(home)
    return msgspec.structs.replace(asked, before=_without_a_limit(home, component))


def setting(home: Home, posts: int) -> SetLimits:
    """From what there is now."""
    return SetLimits({limits.POSTS: posts}, limits.read(home.limits_file))


def _without_a_limit(home: Home, component: str) -> float:
    gateway, name = home.lab().component(component), metrics.DAILY_LIMITS.name
    return sum(exposition.total(gateway, name, result=result) for result in ("unknown_refused", "unknown_allowed"))
