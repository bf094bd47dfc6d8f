"""Changes of a ring of caches: nodes that join or leave at once, or step by step where the decider ring_guard is on."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import ClassVar

import msgspec

from chaos import events
from chaos.faults.base import NotApplicableError
from reference_app.kit import changes
from reference_app.kit.home import Home
from reference_app.kit.ring import Ring
from reference_app.stack import agents, rings

SAMPLED_KEYS = 2000


class RingChange(msgspec.Struct, frozen=True, tag="ring_change"):
    """Somebody makes `nodes` the ring. An agent does it by the usual procedure, so the guard has its say; the undo has none to ask.

    `former` is the ring before it, `back_to` the one that the undo makes: that of before the run, whatever was set in between.
    """

    kind: ClassVar[str] = "ring_change"
    event: ClassVar[events.Name] = "injected"
    engine: ClassVar[str] = "ring file"
    momentary: ClassVar[bool] = False

    group: str
    nodes: tuple[str, ...]
    former: tuple[str, ...]
    back_to: tuple[str, ...]
    sham: bool = False

    @property
    def components(self) -> tuple[str, ...]:
        """Who joins or leaves."""
        return tuple(sorted(set(self.nodes) ^ set(self.former)))

    @property
    def agent(self) -> str:
        return f"ring-{self.group}"

    def available(self) -> None:
        """A file is all it needs."""

    def check(self, home: Home) -> None:
        caches = [c.name for c in home.lab().group(self.group)]
        if not self.nodes or not set(self.nodes) <= set(caches):
            raise NotApplicableError(
                f"the ring of {self.group} is made of some of {', '.join(caches)}, not of {' '.join(self.nodes) or 'none'}"
            )
        if not self.components:
            raise NotApplicableError(f"the ring of {self.group} is {' '.join(self.nodes)} already: nothing would change")

    def apply(self, home: Home) -> None:
        nodes = self.former if self.sham else self.nodes
        agents.start(home, self.agent, [sys.executable, "-m", "chaos.faults.rings", self.group, *nodes])

    def undo(self, home: Home) -> None:
        agents.end(home, self.agent)
        change(home, self.group, self.back_to)

    def in_effect(self, home: Home) -> bool:
        now = set(_in_force(home, self.group))
        return agents.running(home, self.agent) or now == set(self.nodes) or now != set(self.back_to)

    def measured(self, home: Home) -> dict[str, float]:
        """Nodes now, and the share of keys that have another one than before."""
        nodes = _in_force(home, self.group)
        before, now = Ring(self.former), Ring(nodes)
        moved = sum(before.node_of(key) != now.node_of(key) for key in range(SAMPLED_KEYS))
        return {"nodes": float(len(nodes)), "keys_moved_share": moved / SAMPLED_KEYS}


class SetRing(RingChange, frozen=True, tag="set_ring"):
    """The ring that a run starts from: a setting, at once, and no fault."""

    kind: ClassVar[str] = "set_ring"
    event: ClassVar[events.Name] = "prepared"

    def apply(self, home: Home) -> None:
        change(home, self.group, self.nodes)


def wanted(home: Home, group: str, *, add: Sequence[str] = (), remove: Sequence[str] = ()) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """(the ring of now, the ring with these and without those). Raises NotApplicableError for a group that has no ring."""
    try:
        former = rings.members(home, home.lab(), group).nodes
    except rings.RingError as error:
        raise NotApplicableError(str(error)) from None
    return former, tuple(sorted(set(former) - set(remove) | set(add)))


def change(home: Home, group: str, nodes: Sequence[str]) -> None:
    """At once, without the guard, and in force when it returns; nothing when it is so. Raises RingError."""
    rings.change(home, group, nodes, by=changes.CHAOS, say=lambda _: None, guarded=False)


def _in_force(home: Home, group: str) -> tuple[str, ...]:
    return rings.members(home, home.lab(), group).nodes


if __name__ == "__main__":
    rings.change(Home.from_environment(), sys.argv[1], sys.argv[2:], by=changes.CHAOS, say=print)
