"""What a drill is going to do, decided before it touches the lab: whether it may, whether it can be done here, and on which clock."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping

from chaos import aftermath, aiming, catalogue, halt, preflight, targets
from chaos.catalogue import Experiment, Extension
from chaos.faults.base import UnavailableError
from chaos.preflight import Step
from failwhale import knee
from failwhale import lab as layout
from failwhale.run import Wish
from loadgen import recording
from loadgen.model import presets
from reference_app.contract import plan as plans
from reference_app.contract import profile
from reference_app.contract.plan import Phase, Plan
from reference_app.contract.topology import Lab
from reference_app.kit import lease
from reference_app.kit.home import Home

LEAD_SECONDS = 6.0
"""From the plan to load second 0: generator, toolkit and reaper have to be up by then."""


class SkippedError(Exception):
    """The lab, or this machine, has not what the experiment needs; the message says what, and where it can run."""


class DrillError(Exception):
    """The drill cannot begin here and now; the message says why and what to do."""


def checked(home: Home, wish: Wish) -> Experiment:
    """The experiment. Raises DrillError when no recovery could be seen, when it would not be allowed or could not be judged with these
    lengths, or when chaos is halted, and ValueError for a phase that does not exist.
    """
    experiment = catalogue.load(wish.drill)
    lengths = {phase.name: phase.end - phase.start for phase in phases(wish, experiment.extension)}
    _require_lengths(wish, experiment.extension, lengths)
    length = lengths[experiment.extension.recovery_phase]
    slow = profile.constants_over(length / 2)
    if slow:
        named = ", ".join(f"{name} {value:g} s" for name, value in slow.items())
        raise DrillError(f"recovery cannot be seen: these time constants exceed half of the recovery phase ({length:g} s): {named}")
    if halted := halt.read(home.chaos):
        raise DrillError(f"chaos is halted: {halted.reason} (`failwhale chaos resume` allows it again)")
    return experiment


def _require_lengths(wish: Wish, extension: Extension, lengths: Mapping[str, float]) -> None:
    """What the run's guard, or its verdict, would say only when the whole load was sent."""
    held, limit = lengths["fault"], extension.safety.longest_fault_s
    if held > limit:
        raise DrillError(f"the fault would last {held:g} s, the experiment allows {limit:g} s: --phase fault=SECONDS makes it shorter")
    judged_after = wish.inject and not wish.sham and extension.hypothesis.after_goodput_ratio is not None
    if judged_after and lengths["after"] <= aftermath.FROM_S:
        raise DrillError(
            f"it is judged from {aftermath.FROM_S:g} s after the fault on: a phase `after` of {lengths['after']:g} s leaves nothing to judge"
        )


def phases(wish: Wish, extension: Extension) -> tuple[Phase, ...]:
    """As the experiment wants them; what was asked for goes before. Raises ValueError for a phase that does not exist."""
    return plans.phases(extension.phases | wish.phases)


def laid_out(home: Home, wish: Wish) -> Lab:
    """The lab of the home, or the one that it would get."""
    return layout.laid_out(home, os.environ, wish.topology)


def require_free(home: Home, *, now: float) -> None:
    """Raises DrillError while a live run holds the lab, or a load runs: whatever is done to it now would disturb what that one measures."""
    if run_id := lease.living(home.chaos, now=now):
        raise DrillError(f"run {run_id} holds this lab: wait for its end, or end it with `failwhale down`")
    if load := recording.under_way(home, now=now):
        name, left = load
        raise DrillError(f"load {name} runs, for up to {left:.0f} s more: one at a time. Wait for its end, or stop it")


def check_lab(home: Home, wish: Wish, experiment: Experiment) -> list[Step]:
    """The steps that apply faults, as far as they can be told now. Raises SkippedError when the lab or the machine is none for them."""
    lab = laid_out(home, wish)
    if unfit := experiment.extension.why_not(lab):
        raise SkippedError(unfit)
    rings = aiming.rings_of(home, lab)
    try:
        planned = preflight.steps(experiment.document, lambda target: targets.resolve(target, lab.components, seed=wish.seed, rings=rings))
        if wish.inject:
            preflight.require_available(planned)
    except UnavailableError as missing:
        raise SkippedError(f"{experiment.name} is not possible on this machine: {missing}") from missing
    return planned


def plan(home: Home, lab: Lab, wish: Wish, experiment: Experiment, *, run_id: str, now: float | None = None) -> Plan:
    """The clock of the run, which begins some seconds from now. Raises UnknownPresetError, BadReplayError and BadTargetError."""
    extension = experiment.extension
    laid = phases(wish, extension)
    preset = presets.checked(extension.load_preset, laid)
    fault = next(phase for phase in laid if phase.name == "fault")
    return Plan(
        run_id=run_id, drill=wish.drill, seed=wish.seed, topology=lab.topology, preset=preset.name,
        t0=(time.time() if now is None else now) + LEAD_SECONDS, phases=laid, inject=wish.inject, inject_at=fault.start,
        undo_at=fault.end, expected_verdict=_expected(wish, extension), load=knee.cap(home, lab.topology, preset) if extension.load is None else extension.load, sham=wish.sham,
        targets=aiming.of_document(home, lab, experiment.document, seed=wish.seed),
    )  # fmt: skip


def _expected(wish: Wish, extension: Extension) -> str:
    if not wish.inject:
        return "not-injected"
    return "passed" if wish.sham else extension.expected_verdict
