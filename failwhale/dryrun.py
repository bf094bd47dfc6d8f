"""What a drill would do, told without doing any of it: whom it hits, with what, under which load, and what it expects."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from chaos import aiming, ownership, preflight, rules, verdict
from chaos.catalogue import Experiment
from chaos.outlook import Outlook, PlannedFault, PlannedPhase, Reach
from chaos.preflight import Step
from chaos.targets import BadTargetError
from failwhale import planning
from failwhale.planning import SkippedError
from failwhale.run import Wish
from loadgen.model import presets
from reference_app.contract import topology
from reference_app.contract.plan import Plan
from reference_app.contract.topology import Lab
from reference_app.kit import lease
from reference_app.kit.home import Home
from reference_app.stack.control import Control

RUN_ID = "dry-run"


@dataclass(frozen=True)
class _Found:
    steps: Sequence[Step] = ()
    reasons: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()


def look_ahead(home: Home, wish: Wish, *, now: float) -> Outlook:
    """Raises what a drill raises for a wish that cannot be granted; nothing is started or written."""
    experiment, lab = planning.checked(home, wish), _lab(home, wish)
    try:
        steps = planning.check_lab(home, wish, experiment)
    except SkippedError as skipped:
        return _outlook(home, lab, wish, experiment, _Found(reasons=(str(skipped),)))
    return _outlook(home, lab, wish, experiment, _Found(steps, _held(home, now), (*rules.problems(experiment), *_remarks(home, steps))))


def _lab(home: Home, wish: Wish) -> Lab:
    """The roles of now, where there is a lab."""
    laid_out = planning.laid_out(home, wish)
    return home.lab() if home.lab_file.exists() else laid_out


def _held(home: Home, now: float) -> tuple[str, ...]:
    run_id = lease.living(home.chaos, now=now)
    return (f"run {run_id} holds the lab",) if run_id else ()


def _remarks(home: Home, steps: Sequence[Step]) -> tuple[str, ...]:
    if not home.lab_file.exists() or not any(state.state == "running" for state in Control(home).states()):
        return (
            "the lab is not up: the drill would start it",
            *(f"{step.name}: not known before it is up" for step in steps if step.untold),
        )
    return (*(f"{step.name}: {step.untold}" for step in steps if step.untold), *preflight.refusals(home, steps))


def _outlook(home: Home, lab: Lab, wish: Wish, experiment: Experiment, found: _Found) -> Outlook:
    plan = _plan(home, lab, wish, experiment)
    wanted = experiment.extension.aimed(plan.targets if plan else {})
    owned = aiming.owned(home, lab, wanted.truth.components)
    asked = plan.load if plan else wanted.load
    share = asked if asked is not None else topology.load_of(lab.topology)
    broken = wish.inject and not wish.sham
    return Outlook(
        drill=experiment.name, title=experiment.title, topology=lab.topology, possible=not found.reasons, reasons=found.reasons,
        remarks=found.remarks, sham=wish.sham, expected_verdict=plan.expected_verdict if plan else "skipped",
        targets=plan.targets if plan else {},
        blast_radius=Reach(wanted.predicted_harm if broken else 0.0, ownership.largest(owned, lab.components), owned),
        faults=tuple(_planned(found.steps, sham=wish.sham)) if wish.inject else (), deciders=wanted.deciders, preset=wanted.load_preset,
        load=share, phases=tuple(_phases(plan, share)) if plan else (), expected_alerts=wanted.expected_alerts if broken else (),
        tolerated_alerts=wanted.tolerated_alerts if broken else (), hypothesis=verdict.UNHARMED if wish.sham else wanted.hypothesis,
        safety=wanted.safety,
    )  # fmt: skip


def _plan(home: Home, lab: Lab, wish: Wish, experiment: Experiment) -> Plan | None:
    """None when the lab has nobody for one of its targets."""
    try:
        return planning.plan(home, lab, wish, experiment, run_id=RUN_ID, now=0.0)
    except BadTargetError:
        return None


def _planned(steps: Sequence[Step], *, sham: bool) -> list[PlannedFault]:
    return [
        PlannedFault(
            step.name,
            fault.kind,
            fault.components,
            fault.engine,
            msgspec.to_builtins(msgspec.structs.replace(fault, sham=sham)),
        )
        for step in steps
        for fault in step.faults
    ]


def _phases(plan: Plan, share: float) -> list[PlannedPhase]:
    preset = presets.named(plan.preset).scaled(share)
    curves = (preset.reads.over(plan.phases), preset.posts.over(plan.phases))
    return [
        PlannedPhase(phase.name, phase.start, phase.end, *(round(curve.expected(phase.start, phase.end) / length, 1) for curve in curves))
        for phase in plan.phases
        if (length := phase.end - phase.start) > 0
    ]
