"""Why a lab does not do what was asked.

StackError
├── MissingServersError   server binaries are not installed
├── PortsTakenError       somebody else listens on a port of the lab
├── DataVanishedError     a directory of an initialised lab is gone, or was replaced by an empty one
├── SchemaChangedError    the databases were made by another version of the schema
├── TopologyError         no topology has that name, or the home holds a lab of another one
├── ReplicationError      a replica does not follow its primary
├── NotRunningError       the process that should be acted on is not there
└── NotReadyError         a component was started and does not answer
"""

from __future__ import annotations

from dataclasses import dataclass


class StackError(Exception):
    """Base of all: the message is a sentence for the user."""


class MissingServersError(StackError):
    def __init__(self, missing: dict[str, str]) -> None:
        """`missing` maps a binary to the apt package that brings it."""
        packages = " ".join(sorted(set(missing.values())))
        names = ", ".join(sorted(missing))
        super().__init__(f"not installed: {names}. Install them: apt-get install --no-install-recommends {packages}")
        self.missing = missing


class PortsTakenError(StackError):
    def __init__(self, lines: list[str]) -> None:
        listing = "\n".join(f"  {line}" for line in lines)
        super().__init__(
            f"these ports of the lab are taken:\n{listing}\nEnd these processes, or choose other ports: FAILWHALE_PORT_BASE=19000 failwhale up"
        )
        self.lines = lines


class DataVanishedError(StackError):
    """Never made anew in silence: an empty database would answer "no such tweet" about acknowledged tweets."""


class SchemaChangedError(StackError):
    pass


class TopologyError(StackError):
    pass


class ReplicationError(StackError):
    pass


class NotRunningError(StackError):
    pass


@dataclass(frozen=True)
class NotReady:
    """One component that is not ready, and what it answered last."""

    name: str
    detail: str


class NotReadyError(StackError):
    def __init__(self, waiting: list[NotReady]) -> None:
        super().__init__("not ready: " + "; ".join(f"{w.name} ({w.detail})" for w in waiting))
        self.waiting = waiting
