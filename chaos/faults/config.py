"""Configuration changes: a decider is set, and goes back to the value it had."""

from __future__ import annotations

from typing import ClassVar

import msgspec

from chaos import events
from chaos.faults.base import NotApplicableError
from reference_app.kit import changes, deciders
from reference_app.kit.home import Home


class SetDecider(msgspec.Struct, frozen=True, tag="set_decider"):
    """Services follow the file within 200 ms."""

    kind: ClassVar[str] = "set_decider"
    event: ClassVar[events.Name] = "decider_set"
    engine: ClassVar[str] = "deciders"
    momentary: ClassVar[bool] = False

    name: str
    value: int
    former: int
    sham: bool = False

    @property
    def components(self) -> tuple[str, ...]:
        return ()

    def available(self) -> None:
        """A file is all it needs."""

    def check(self, home: Home) -> None:  # noqa: ARG002
        if not deciders.OFF <= self.value <= deciders.ON:
            raise NotApplicableError(f"decider {self.name}: {self.value} is outside of {deciders.OFF}..{deciders.ON}")

    def apply(self, home: Home) -> None:
        if not self.sham:
            deciders.write(home, self.name, self.value, by=changes.CHAOS)

    def undo(self, home: Home) -> None:
        deciders.write(home, self.name, self.former, by=changes.CHAOS)

    def in_effect(self, home: Home) -> bool:
        return deciders.read(home.deciders_file).get(self.name) == self.value

    def measured(self, home: Home) -> dict[str, float]:
        """The value as services read it."""
        return {"value": float(deciders.read(home.deciders_file)[self.name])}


class FlipDecider(SetDecider, frozen=True, tag="flip_decider"):
    """As a fault: somebody sets a decider to a value that does harm, on a `component` above all."""

    kind: ClassVar[str] = "flip_decider"
    event: ClassVar[events.Name] = "injected"

    component: str = ""

    @property
    def components(self) -> tuple[str, ...]:
        return (self.component,)

    def check(self, home: Home) -> None:
        super().check(home)
        if self.value == self.former:
            raise NotApplicableError(f"decider {self.name} is {self.value} already: nothing would change")


def flip(home: Home, component: str, name: str, value: int) -> FlipDecider:
    """As `setting`."""
    now = setting(home, name, value)
    return FlipDecider(name=name, value=value, former=now.former, component=component)


def setting(home: Home, name: str, value: int) -> SetDecider:
    """The change from the value in force now. Raises NotApplicableError for a decider that does not exist."""
    current = deciders.read(home.deciders_file)
    if name not in current:
        raise NotApplicableError(f"no decider {name!r}; there are {', '.join(sorted(current))}")
    return SetDecider(name=name, value=value, former=current[name])
