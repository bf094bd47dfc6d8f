"""Can what two alerts are about have to do with one another? Along the directed calls of the topology, in either direction. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping

from reference_app.contract.topology import SERVICE_EDGES

EVERYTHING = "host"
"""The machine, which carries every component."""
_INSTANCE = re.compile(r"-\d+(?:-(?:primary|replica))?$")


def related(one: Mapping[str, str], other: Mapping[str, str]) -> bool:
    """By the labels of both alerts. One that names no component is about what users meet, and so about all that is called for them."""
    left, right = group(one), group(other)
    if EVERYTHING in (left, right) or left == right:
        return True
    return right in below(left) or left in below(right)


def group(labels: Mapping[str, str]) -> str:
    """The group of components that an alert is about."""
    return _INSTANCE.sub("", labels.get("component") or labels.get("service") or next(iter(SERVICE_EDGES)))


def below(caller: str) -> frozenset[str]:
    """Every group that a group calls, at whatever distance."""
    reached: set[str] = set()
    ahead = list(SERVICE_EDGES.get(caller, ()))
    while ahead:
        if (callee := ahead.pop()) not in reached:
            reached.add(callee)
            ahead += SERVICE_EDGES.get(callee, ())
    return frozenset(reached)
