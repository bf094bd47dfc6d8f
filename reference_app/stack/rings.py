"""Changes the ring of a group of caches, step by step where it is guarded, so that no cache serves what it held before it gained a key.

A node out of the ring misses deliveries and deletions; so does one that stays, of the keys that another node has meanwhile. Therefore a node
that joins is emptied first, and before one leaves the others delete what the ring does not give them. A node that does not answer can
neither join nor gain keys. (Twitter, 2011-08: hosts that clients ejected by themselves came back with old values.)
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from itertools import islice

import redis
import redis.exceptions
from redis.backoff import NoBackoff
from redis.retry import Retry

from reference_app.contract import storage
from reference_app.contract.profile import LAB, Profile
from reference_app.contract.topology import Component, Lab
from reference_app.kit import membership
from reference_app.kit.home import Home
from reference_app.kit.membership import Members
from reference_app.kit.ring import Ring
from reference_app.stack.errors import StackError

GROUPS = ("timeline-cache", "tweet-cache")
ANSWER_S = 5.0
_KEYS = {"timeline-cache": "tl:*", "tweet-cache": "t:*"}
"""Keys of a group that belong to an id, which they end with."""
_DELETED_AT_ONCE = 1000


class RingError(StackError):
    """The ring was not changed, or not all the way; the message says which."""


def members(home: Home, lab: Lab, group: str) -> Members:
    """Who is in the ring of a group. Raises RingError for a group that has none."""
    if group not in GROUPS:
        raise RingError(f"no ring {group!r}: there are {', '.join(GROUPS)}")
    return membership.members_of(home.rings_file, group, [c.name for c in lab.group(group)])


def change(
    home: Home,
    group: str,
    wanted: Sequence[str],
    *,
    by: str,
    say: Callable[[str], None],
    guarded: bool | None = None,
    profile: Profile = LAB,
    clock: Callable[[], float] = time.time,
    sleep: Callable[[float], None] = time.sleep,
) -> Members:
    """Make `wanted` the ring and return when it is in force. Guarded, it goes one step per interval; interrupted, it stays between two.

    Whether it is guarded says the decider, unless the caller does. Raises RingError.
    """
    lab = home.lab()
    current = members(home, lab, group)
    caches = {c.name: c for c in lab.group(group)}
    if not wanted or not set(wanted) <= set(caches):
        raise RingError(f"the ring of {group} is made of some of {', '.join(caches)}, not of {' '.join(wanted) or 'none'}")
    guarded = membership.guarded(home) if guarded is None else guarded
    for nodes in membership.steps(current.nodes, wanted, guarded=guarded):
        _wait_until(current.since + (profile.ring_change_every if guarded else 0.0), clock, sleep)
        _prepare(caches, group, current.nodes, nodes)
        current = _announced(home, group, current, nodes, by, now=clock(), guarded=guarded)
        say(f"the ring of {group}: {' '.join(nodes)}")
        _wait_until(current.since + membership.LINGER_SECONDS, clock, sleep)
        _tidy(caches, group, current, say)
    return current


def _announced(home: Home, group: str, current: Members, nodes: Sequence[str], by: str, *, now: float, guarded: bool) -> Members:
    try:
        return membership.announce(home, group, current, nodes, by=by, now=now, guarded=guarded)
    except (ValueError, membership.MassChangeError) as error:
        raise RingError(str(error)) from error


def _wait_until(moment: float, clock: Callable[[], float], sleep: Callable[[float], None]) -> None:
    if (remaining := moment - clock()) > 0:
        sleep(remaining)


def _prepare(caches: dict[str, Component], group: str, current: Sequence[str], nodes: Sequence[str]) -> None:
    """Whoever is in the ring afterwards holds nothing but what the ring gives it now."""
    leaves = set(current) - set(nodes)
    for name in nodes:
        try:
            if name not in current:
                _empty(caches[name], group)
            elif leaves:
                _sweep(caches[name], group, Ring(current))
        except (redis.exceptions.RedisError, OSError) as error:
            raise RingError(f"{name} does not answer, so it may hold what is no longer true: the ring was not changed ({error})") from error


def _tidy(caches: dict[str, Component], group: str, current: Members, say: Callable[[str], None]) -> None:
    """Free the memory of what moved to a node that joined. What fails here is made up for before the next node leaves."""
    if set(current.nodes) <= set(current.former):
        return
    for name in current.former:
        try:
            _sweep(caches[name], group, Ring(current.nodes))
        except (redis.exceptions.RedisError, OSError) as error:
            say(f"{name} keeps what it has for others: {error}")


def _empty(cache: Component, group: str) -> None:
    with _client(cache) as client:
        if group == "timeline-cache":
            client.eval(storage.script("invalidate"), 1, storage.TIMELINE_EPOCH_KEY)
        else:
            client.flushdb()


def _sweep(cache: Component, group: str, ring: Ring) -> None:
    with _client(cache) as client:
        foreign = _foreign(client.scan_iter(match=_KEYS[group], count=_DELETED_AT_ONCE), cache.name, ring)
        while some := list(islice(foreign, _DELETED_AT_ONCE)):
            client.unlink(*some)


def _foreign(keys: Iterator[bytes], name: str, ring: Ring) -> Iterator[bytes]:
    return (key for key in keys if ring.node_of(int(key.rpartition(b":")[2])) != name)


def _client(cache: Component) -> redis.Redis:
    return redis.Redis(port=cache.port, socket_timeout=ANSWER_S, socket_connect_timeout=ANSWER_S, retry=Retry(NoBackoff(), 0))
