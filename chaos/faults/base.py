"""What every fault is: a frozen record that says all its undo needs, so that the record alone can be executed later by somebody else."""

from __future__ import annotations

from typing import ClassVar, Protocol

from chaos import events
from reference_app.kit.home import Home


class NotApplicableError(Exception):
    """The fault cannot be applied to the lab as it stands; nothing was changed."""


class Fault(Protocol):
    """`apply` follows `check`; `undo` may be called any number of times, also when `apply` never ran."""

    kind: ClassVar[str]
    event: ClassVar[events.Name]
    """The event that is recorded once it is applied."""

    @property
    def components(self) -> tuple[str, ...]:
        """What it acts on."""

    def check(self, home: Home) -> None:
        """Raise NotApplicableError when applying it would be wrong or without effect."""

    def apply(self, home: Home) -> None: ...

    def undo(self, home: Home) -> None:
        """Return once the inverse is in force; raise when it is not."""

    def in_effect(self, home: Home) -> bool: ...
