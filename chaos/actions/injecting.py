"""How an action applies its fault: within its run, at the moment of its plan, and only while somebody stands by to take it back.

An expression in its `component` (chaos.targets) is a fault of each component that it means, and an undo record of each.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

import msgspec
from chaoslib.exceptions import ActivityFailed

from chaos import aiming, events, reaper, session, undo
from chaos.faults.base import NotApplicableError
from chaos.faults.families import AnyFault
from chaos.session import NotAllowedError, Session
from chaos.targets import BadTargetError
from reference_app.kit.home import Home

Meaning = Callable[[str], Sequence[str]]
_LISTS = ("callers", "callees", "components")
"""Fields of faults that name several components; `component` names one."""


@dataclass(frozen=True)
class _Rehearsal:
    """Faults are noted here instead of being applied, in the order of the actions."""

    meaning: Meaning
    faults: list[AnyFault] = field(default_factory=list)


_rehearsal: ContextVar[_Rehearsal | None] = ContextVar("rehearsal", default=None)


@contextmanager
def rehearsed(meaning: Meaning) -> Iterator[list[AnyFault]]:
    """Actions called in this context add to the list what they would apply, and do nothing; no run is needed."""
    rehearsal = _Rehearsal(meaning)
    token = _rehearsal.set(rehearsal)
    try:
        yield rehearsal.faults
    finally:
        _rehearsal.reset(token)


def injected(fault: AnyFault, configuration: dict[str, Any] | None) -> str:
    """Apply it within the run that this process belongs to. Raises ActivityFailed when it must not, or cannot, be applied."""
    return _each(lambda meaning: _aimed(fault, meaning), configuration)


def injected_each(component: str, make: Callable[[Home, str], AnyFault], configuration: dict[str, Any] | None) -> str:
    """The same for a fault that is made from what its component is now: `make` may raise NotApplicableError."""
    home = Home.from_environment()
    return _each(lambda meaning: [make(home, name) for name in meaning(component)], configuration)


def _each(make: Callable[[Meaning], list[AnyFault]], configuration: dict[str, Any] | None) -> str:
    if rehearsal := _rehearsal.get():
        rehearsal.faults.extend(make(rehearsal.meaning))
        return "rehearsed"
    run = session.current(Home.from_environment())
    try:
        faults = make(lambda expression: aiming.meant(run, expression))
        return _apply(run, faults, configuration or {})
    except (NotApplicableError, NotAllowedError, BadTargetError, reaper.ReaperNotRunningError) as refused:
        raise ActivityFailed(str(refused)) from refused


def _aimed(fault: AnyFault, meaning: Meaning) -> list[AnyFault]:
    named = {name: getattr(fault, name) for name in _LISTS if name in fault.__struct_fields__}
    fault = msgspec.structs.replace(fault, **{name: tuple(m for each in those for m in meaning(each)) for name, those in named.items()})
    if "component" not in fault.__struct_fields__:
        return [fault]
    return [msgspec.structs.replace(fault, component=name) for name in meaning(fault.components[0])]


def _apply(run: Session, faults: Sequence[AnyFault], configuration: dict[str, Any]) -> str:
    told = "; ".join(f"{fault.kind}: {', '.join(fault.components)}" for fault in faults)
    if not _injecting(run, configuration):
        for fault in faults:
            events.write(run.run_dir, "inject_skipped", clock=time.time, fault=fault.kind, components=fault.components)
        return f"skipped: {told} was left alone"
    _require_its_moment(run)
    reaper.ensure(run.home)
    if sham := _sham(run):
        faults = [msgspec.structs.replace(fault, sham=True) for fault in faults]
    for fault in faults:  # all or none of a group, as far as can be told before
        fault.check(run.home)
    for fault in faults:
        undo.inject(run, fault)
    return f"sham of {told}" if sham else told


def _require_its_moment(run: Session) -> None:
    """A SIGTERM makes the toolkit fail the waiting action and go on with this one, long before the plan wants a fault."""
    plan = run.plan()
    if plan is None:
        return
    load_second = time.time() - plan.t0
    if not plan.inject_at <= load_second < plan.undo_at:
        raise ActivityFailed(
            f"load second {load_second:.1f} is outside of the fault's time, {plan.inject_at:g} to {plan.undo_at:g}: nothing was injected"
        )


def _injecting(run: Session, configuration: dict[str, Any]) -> bool:
    """False when the plan or the experiment's configuration asks for a rehearsal; `--var inject=false` arrives as a string."""
    plan = run.plan()
    wanted = str(configuration.get("inject", True)).lower() not in ("false", "0", "no")
    return wanted and (plan is None or plan.inject)


def _sham(run: Session) -> bool:
    plan = run.plan()
    return plan is not None and plan.sham
