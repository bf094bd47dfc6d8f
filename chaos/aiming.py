"""What the expressions of an experiment mean in the lab of now, and in a run: there it is what its plan recorded."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from chaos import ownership, targets
from chaos.ownership import Share
from chaos.session import Session
from chaos.targets import Rings
from reference_app.contract.seed import Seed
from reference_app.contract.topology import Lab
from reference_app.kit import membership
from reference_app.kit.home import Home

PLAIN_SEED = 0
"""Of a run without a plan."""
_RINGS = ("timeline-cache", "tweet-cache")


def of_document(home: Home, lab: Lab, document: Any, *, seed: int) -> dict[str, tuple[str, ...]]:
    """Every expression of an experiment and what it means. Raises BadTargetError."""
    rings = rings_of(home, lab)
    return {each: targets.resolve(each, lab.components, seed=seed, rings=rings) for each in targets.expressions(document)}


def meant(run: Session, expression: str) -> tuple[str, ...]:
    """What it means in this run, the same whenever it is asked; a name means itself. Raises BadTargetError."""
    if not targets.is_expression(expression):
        return (expression,)
    plan = run.plan()
    if plan is not None and expression in plan.targets:
        return plan.targets[expression]
    lab = run.home.lab()
    return targets.resolve(expression, lab.components, seed=plan.seed if plan else PLAIN_SEED, rings=rings_of(run.home, lab))


def rings_of(home: Home, lab: Lab) -> Rings:
    """Which caches hold keys now."""
    return {group: _nodes(home, group, [component.name for component in lab.group(group)]) for group in _RINGS if lab.group(group)}


def owned(home: Home, lab: Lab, hit: Sequence[str]) -> tuple[Share, ...]:
    """What share of users, keys or requests the components own now."""
    return ownership.shares(lab.components, hit, rings=rings_of(home, lab), users=_seeded(home))


def _seeded(home: Home) -> int | None:
    try:
        return msgspec.json.decode(home.seed_file.read_bytes(), type=Seed).users
    except FileNotFoundError:
        return None


def _nodes(home: Home, group: str, caches: Sequence[str]) -> tuple[str, ...]:
    return membership.members_of(home.rings_file, group, caches).nodes
