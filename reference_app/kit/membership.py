"""Which caches of a group are in its ring: a small file that is polled like the deciders, with a guard against changing many at once.

A change is announced before it is in force, so that every process changes at the same moment: what is placed by the former ring then was
there before, and whoever gains a key reads it anew from its source. A guarded ring changes by one node, or a quarter of them, per interval:
115 nodes that joined at once took Twitter's hit rate from 99.8 to 84 %. Nothing here ever removes a node by itself.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from reference_app.contract.profile import LAB, Profile
from reference_app.kit import changes, deciders, files
from reference_app.kit.home import Home
from reference_app.kit.ring import Ring

logger = logging.getLogger(__name__)
POLL_SECONDS = 0.2
NOTICE_SECONDS = 1.0
"""From the announcement of a change until it is in force: five times what a process takes to see it."""
LINGER_SECONDS = 2.0
"""For so long after a change, and from its announcement on, deletions go where the former ring has a key, too."""
LARGEST_SHARE = 4
"""One in four nodes may change at a time; of less than eight, one."""


class MassChangeError(Exception):
    """More nodes, or sooner, than the guard lets pass."""


@dataclass(frozen=True)
class Members:
    """Names of the nodes from `since` on (Unix seconds), and `former` ones until then."""

    nodes: tuple[str, ...]
    since: float = 0.0
    former: tuple[str, ...] = ()

    def at(self, now: float) -> tuple[str, ...]:
        """The nodes in force."""
        return self.nodes if now >= self.since else self.former


def read(path: Path) -> dict[str, Members]:
    """Group -> members, for the groups whose ring was ever changed. Raises msgspec.DecodeError for a broken file."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=dict[str, Members])
    except FileNotFoundError:
        return {}


def members_of(path: Path, group: str, caches: Sequence[str]) -> Members:
    """Of a group that has these caches, which all are in its ring as long as nobody said otherwise. Raises msgspec.DecodeError."""
    stored = read(path).get(group)
    known = tuple(node for node in stored.nodes if node in caches) if stored else ()
    if not stored or not known:
        return Members(tuple(caches))
    return Members(known, stored.since, tuple(node for node in stored.former if node in caches) or known)


def at_most(nodes: Collection[str]) -> int:
    """How many of a ring of these may come or go at a time."""
    return max(1, len(nodes) // LARGEST_SHARE)


def steps(current: Sequence[str], wanted: Sequence[str], *, guarded: bool) -> Iterator[tuple[str, ...]]:
    """Memberships on the way from `current` to `wanted`: one that is not guarded, else each that the guard lets pass, who joins before who leaves."""
    nodes, joining, leaving = list(current), set(wanted).difference(current), set(current).difference(wanted)
    if not guarded and (joining or leaving):
        yield tuple(sorted(wanted))
        return
    while joining:
        some = sorted(joining)[: at_most(nodes)]
        nodes, joining = [*nodes, *some], joining.difference(some)
        yield tuple(sorted(nodes))
    while leaving:
        some = sorted(leaving)[: at_most(nodes)]
        nodes, leaving = [node for node in nodes if node not in some], leaving.difference(some)
        yield tuple(sorted(nodes))


def check(current: Members, wanted: Sequence[str], *, now: float, profile: Profile = LAB) -> None:
    """Raises MassChangeError for a change that the guard does not let pass."""
    moved = set(current.nodes).symmetric_difference(wanted)
    if len(moved) > at_most(current.nodes):
        raise MassChangeError(
            f"{len(moved)} of {len(current.nodes)} nodes would change at once, and the guard lets {at_most(current.nodes)} pass: "
            "change the ring step by step, or switch the decider ring_guard off"
        )
    if moved and now < (earliest := current.since + profile.ring_change_every):
        raise MassChangeError(f"the ring has changed just now: the guard lets the next change pass in {earliest - now:.1f} s")


def guarded(home: Home) -> bool:
    """What the decider says of it."""
    return deciders.read(home.deciders_file)["ring_guard"] > 0


def announce(home: Home, group: str, current: Members, wanted: Sequence[str], *, by: str, now: float, guarded: bool) -> Members:
    """Let the ring change shortly, and record it. Raises ValueError for an empty ring or while a change is coming, MassChangeError if guarded."""
    if not wanted:
        raise ValueError(f"the ring of {group} needs a node")
    if now < current.since:
        raise ValueError(f"a change of the ring of {group} is announced: it is in force in {current.since - now:.1f} s")
    if guarded:
        check(current, wanted, now=now)
    members = Members(tuple(wanted), now + NOTICE_SECONDS, current.nodes)
    with files.locked(home.rings_file.with_suffix(".lock")):
        files.write_json(home.rings_file, read(home.rings_file) | {group: members}, durable=True)
    changes.record(home, changes.Change(members.since, "ring", group, " ".join(current.nodes), " ".join(wanted), by))
    return members


class Membership:
    """A process's view of the ring of one group, read again when it is older than 200 ms. A broken file changes nothing."""

    def __init__(
        self,
        path: Path,
        group: str,
        caches: Sequence[str],
        *,
        clock: Callable[[], float] = time.time,
        on_change: Callable[[tuple[str, ...]], None] = lambda _nodes: None,
    ) -> None:
        self._path, self._group, self._caches = path, group, tuple(caches)
        self._clock, self._on_change = clock, on_change
        self._members, self._read_at = Members(self._caches), float("-inf")
        self._ring, self._former = Ring(self._caches), Ring(self._caches)
        on_change(self._caches)

    @property
    def ring(self) -> Ring:
        """The ring in force now."""
        now = self._clock()
        if not 0 <= now - self._read_at < POLL_SECONDS:
            self._read(now)
        nodes = self._members.at(now)
        if nodes != self._ring.nodes:
            self._ring, self._former = Ring(nodes), self._ring
            logger.info("the ring of %s is %s now", self._group, ", ".join(nodes))
            self._on_change(nodes)
        return self._ring

    @property
    def rings(self) -> tuple[Ring, ...]:
        """The ring in force and, around a change, the other one: what must be known wherever a key is looked for goes by all of them."""
        ring, now, members = self.ring, self._clock(), self._members
        if now < members.since:
            return ring, Ring(members.nodes)
        return (ring, self._former) if now < members.since + LINGER_SECONDS and self._former.nodes != ring.nodes else (ring,)

    def _read(self, now: float) -> None:
        self._read_at = now
        try:
            self._members = members_of(self._path, self._group, self._caches)
        except (msgspec.DecodeError, OSError) as error:
            logger.warning("%s cannot be read, so the ring of %s stays as it is: %s", self._path, self._group, error)
