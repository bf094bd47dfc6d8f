"""Whom a fault is aimed at: an expression of an experiment and the components of one lab that it means, by a seed. Pure.

    NAME                            a component
    one:GROUP                       one of them, drawn
    minority:GROUP                  half of them at most, drawn (Jepsen's: one less than a majority)
    all:GROUP                       all of them
    primaries:GROUP replicas:GROUP  the databases in that role now
    owner-of:user/ID[:GROUP]        who holds that user's data in the group, without one the user's home timeline

GROUP is a tier (`tweet-cache`) or a kind of component (`redis`).
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from reference_app.contract import storage
from reference_app.contract.topology import Component
from reference_app.kit.ring import Ring

Rings = Mapping[str, Sequence[str]]
"""Group of caches -> those that hold keys; a group that is not named has all of its caches in its ring."""
OWNERS_GROUP = "timeline-cache"


class BadTargetError(Exception):
    """The expression means nothing in this lab; the message says why, and what there is."""


def is_expression(text: str) -> bool:
    """True for what is more than a name."""
    return text.partition(":")[0] in (*_FORMS, "owner-of") and ":" in text


def resolve(expression: str, among: Iterable[Component], *, seed: int, rings: Rings | None = None) -> tuple[str, ...]:
    """Names of the components, in the lab's order. The same seed draws the same. Raises BadTargetError."""
    lab = tuple(among)
    form, _, rest = expression.partition(":")
    if not rest:
        return (_named(expression, lab),)
    if form == "owner-of":
        return (_owner(rest, lab, rings or {}),)
    if form not in _FORMS:
        raise BadTargetError(f"{expression!r}: there is no form {form!r}; there are {', '.join((*_FORMS, 'owner-of'))}")
    chosen = _FORMS[form](_members(rest, lab), random.Random(f"{seed}/{expression}"))
    if not chosen:
        raise BadTargetError(f"{expression!r} is nobody: this lab has {', '.join(c.name for c in _members(rest, lab))} in {rest}")
    return tuple(component.name for component in lab if component in chosen)


def expressions(document: Any) -> tuple[str, ...]:
    """Every expression anywhere in a document, each once."""
    match document:
        case str():
            return (document,) if is_expression(document) else ()
        case dict():
            found = [each for value in document.values() for each in expressions(value)]
        case list() | tuple():
            found = [each for value in document for each in expressions(value)]
        case _:
            found = []
    return tuple(dict.fromkeys(found))


def _named(name: str, lab: Sequence[Component]) -> str:
    if name not in {component.name for component in lab}:
        raise BadTargetError(f"no component {name!r}; this lab has {', '.join(component.name for component in lab)}; {_groups(lab)}")
    return name


def _members(group: str, lab: Sequence[Component]) -> list[Component]:
    members = [component for component in lab if group in (component.group, component.kind)]
    if not members:
        raise BadTargetError(f"no group {group!r}; {_groups(lab)}")
    return members


def _groups(lab: Sequence[Component]) -> str:
    tiers, kinds = (dict.fromkeys(names) for names in ((c.group for c in lab), (c.kind for c in lab)))
    return f"its groups are {', '.join(tiers)}, its kinds {', '.join(kinds)}"


def _owner(subject: str, lab: Sequence[Component], rings: Rings) -> str:
    user, _, group = subject.partition(":")
    what, _, number = user.partition("/")
    if what != "user" or not number.isdecimal():
        raise BadTargetError(f"owner-of:{subject}: it is owner-of:user/ID, with the group after another colon if it is not {OWNERS_GROUP}")
    group = group or OWNERS_GROUP
    members = _members(group, lab)
    if group not in _PLACED:
        raise BadTargetError(f"owner-of:{subject}: {group} does not place by user; {', '.join(_PLACED)} do")
    return _PLACED[group](int(number), members, rings.get(group) or [member.name for member in members])


def _minority(members: Sequence[Component], rng: random.Random) -> list[Component]:
    return rng.sample(members, len(members) // 2)


_FORMS: dict[str, Callable[[list[Component], random.Random], list[Component]]] = {
    "one": lambda members, rng: [rng.choice(members)],
    "minority": _minority,
    "all": lambda members, _: members,
    "primaries": lambda members, _: [member for member in members if member.role == "primary"],
    "replicas": lambda members, _: [member for member in members if member.role == "replica"],
}


def _primary_of(index: int, members: Sequence[Component]) -> str:
    return next(member.name for member in members if member.index == index and member.role == "primary")


_PLACED: dict[str, Callable[[int, Sequence[Component], Sequence[str]], str]] = {
    "timeline-cache": lambda user, _, ring: Ring(ring).node_of(user),
    "graph-db": lambda user, members, _: _primary_of(storage.graph_shard(user, len({m.shard for m in members})), members),
    "users-db": lambda _, members, __: _primary_of(0, members),
}
"""How groups place what belongs to a user. A user's tweets are on all shards: each by its own key."""
