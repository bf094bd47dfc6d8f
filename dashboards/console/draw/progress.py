"""How far a run is: its phases as a bar, the fault in its own colour, and where it stands. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from dashboards.console.draw import markup, units
from reference_app.contract.plan import Plan


@dataclass(frozen=True)
class Part:
    """A phase; `share` of the whole length, `state` is past, present or ahead."""

    name: str
    share: float
    state: str


@dataclass(frozen=True)
class Progress:
    """`position` is the share of the load that is over."""

    title: str
    text: str
    parts: tuple[Part, ...] = ()
    position: float = 0.0


def of_plan(plan: Plan, now: float) -> Progress:
    """Where a run stands by its clock."""
    second = now - plan.t0
    if second < 0:
        text = f"load begins in {units.lasting(-second)}"
    elif phase := plan.phase_at(second):
        text = f"{phase.name}, {units.lasting(second)} of {units.lasting(plan.duration)}"
    else:
        text = "the load is over: audit, verdict and postmortem" if plan.drill else "the load is over"
    parts = tuple(
        Part(p.name, (p.end - p.start) / plan.duration, "past" if second >= p.end else "present" if second >= p.start else "ahead")
        for p in plan.phases
    )
    return Progress(f"{plan.drill or plan.preset} is running", text, parts, min(1.0, max(0.0, second / plan.duration)))


def before_plan(drill: str, said: str) -> Progress:
    """A drill that has not written its plan yet, by what it said last."""
    return Progress(f"{drill} is starting", said)


def without_plan(run_id: str) -> Progress:
    """An experiment that runs by itself."""
    return Progress("An experiment is running", f"without load · run {run_id}")


def html(progress: Progress) -> str:
    """The bar as markup."""
    return markup.render("progress", progress=progress)
