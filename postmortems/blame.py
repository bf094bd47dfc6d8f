"""Whom an alert names: the component that was hit, one that calls it, or another."""

from __future__ import annotations

import functools
from collections.abc import Collection, Mapping
from typing import Literal

from reference_app.contract.topology import SERVICE_EDGES, TOPOLOGIES, Component, components

Named = Literal["itself", "dependant", "another"]


def named(by: str, hit: Collection[str]) -> Named:
    """What an alert of the component (or the group) `by` says about a fault of these components."""
    if by in hit or any(by == group_of(one) for one in hit):
        return "itself"
    groups = {group_of(one) for one in hit}
    callers = {caller for caller, callees in SERVICE_EDGES.items() if groups & set(callees)}
    partners = {_known()[one].shard for one in hit if one in _known() and _known()[one].paired}
    depends = group_of(by) in callers or (by in _known() and _known()[by].shard in partners)
    return "dependant" if depends else "another"


def group_of(name: str) -> str:
    """The group of a component; what is no component is its own."""
    return _known()[name].group if name in _known() else name


@functools.cache
def _known() -> Mapping[str, Component]:
    return {component.name: component for topology in TOPOLOGIES.values() for component in components(topology, 0)}
