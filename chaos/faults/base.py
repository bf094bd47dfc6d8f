"""What every fault is: a frozen record that says all its undo needs, so that the record alone can be executed later by somebody else."""

from __future__ import annotations

from typing import ClassVar, Protocol

import msgspec

from chaos import events
from reference_app.kit.home import Home
from reference_app.stack.control import Control

READY_SECONDS = 15.0
"""MariaDB answers 0.33 s after a kill on an idle machine; the rest is for a busy one."""

ALIVE = ("running", "starting")
"""States of a process that is there; supervisord calls the first second of one `starting`."""


class NotApplicableError(Exception):
    """The fault cannot be applied to the lab as it stands; nothing was changed."""


class UnavailableError(NotApplicableError):
    """This machine, or this user, cannot do it to any lab; the message says what is missing. A drill that needs it is skipped."""


class Fault(Protocol):
    """`apply` follows `check`; `undo` may be called any number of times, also when `apply` never ran."""

    event: ClassVar[events.Name]
    """The event that is recorded once it is applied."""
    engine: ClassVar[str]
    """By what it is done."""
    momentary: ClassVar[bool]
    """It is over by itself. Any other lasts until it is taken back, unless somebody else ends it."""

    @property
    def kind(self) -> str:
        """What it is called in records, figures and experiment files."""

    @property
    def components(self) -> tuple[str, ...]:
        """What it acts on."""

    @property
    def sham(self) -> bool:
        """Every step is taken and has no effect."""

    def available(self) -> None:
        """Raise UnavailableError when it needs what is missing here; asks nothing of the lab, which need not be up."""

    def check(self, home: Home) -> None:
        """Raise NotApplicableError when applying it would be wrong or without effect; asks `available` first."""

    def apply(self, home: Home) -> None: ...

    def undo(self, home: Home) -> None:
        """Return once the inverse is in force; raise when it is not."""

    def in_effect(self, home: Home) -> bool: ...

    def measured(self, home: Home) -> dict[str, float]:
        """What it did so far, as the real thing shows it; asked just before the undo. Empty when that cannot be seen."""


class OnComponent(msgspec.Struct, frozen=True):
    """What faults of one running component have in common. A `sham` takes every step of its fault and has no effect: the comparison."""

    event: ClassVar[events.Name] = "injected"
    momentary: ClassVar[bool] = False

    component: str
    sham: bool = False

    @property
    def kind(self) -> str:
        """The tag by which its record is told from others."""
        return str(self.__struct_config__.tag)

    @property
    def components(self) -> tuple[str, ...]:
        return (self.component,)

    def available(self) -> None:
        """Most need nothing but the lab."""

    def check(self, home: Home) -> None:
        """Only a running component can be broken: a dead one would make a drill of somebody else's outage."""
        self.available()
        state = state_of(home, self.component)
        if state not in ALIVE:
            raise NotApplicableError(f"{self.component} is {state}, not running: `failwhale up` repairs the lab")
        if (hit := home.lab().component(self.component)).swapped:
            raise NotApplicableError(
                f"{hit.name} is the {hit.role} now, not what its name tells: `failwhale shard promote {hit.shard}-primary` gives the roles back"
            )


def require_absent(fault: Fault, home: Home) -> None:
    """Raises NotApplicableError when the same is in force: a second one would replace it, and the undo of either would end both."""
    if fault.in_effect(home):
        raise in_force_already(fault)


def in_force_already(fault: Fault) -> NotApplicableError:
    """What to raise when it, or something of it, is there."""
    of = f" of {', '.join(fault.components)}" if fault.components else ""
    return NotApplicableError(f"{fault.kind}{of} is in force already: `failwhale chaos undo` takes it back")


def state_of(home: Home, component: str) -> str:
    """State of its process. Raises NotApplicableError when the lab has no such component."""
    states = {state.name: state.state for state in Control(home).states()}
    if component not in states:
        raise NotApplicableError(f"no component {component!r}; this lab has {', '.join(sorted(states))}")
    return states[component]


def bring_back(home: Home, component: str) -> None:
    """Running and answering, whatever it was before. Raises NotReadyError."""
    control, state = Control(home), state_of(home, component)
    if state == "paused":
        control.resume(component)
    else:
        if state == "exited":
            control.stop(component)  # the supervisor would wait ever longer before it tries again
        control.start(component)
    control.wait_ready([component], READY_SECONDS)
