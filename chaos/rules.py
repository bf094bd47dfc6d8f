"""What our experiments must have beyond what `chaos validate` asks, so that every run of them undoes itself and can be judged."""

from __future__ import annotations

import functools
import importlib
import inspect
from collections.abc import Iterator
from typing import Any

from chaoslib.exceptions import ChaosException
from chaoslib.experiment import ensure_experiment_is_valid

from chaos import catalogue, targets
from chaos.catalogue import Experiment, Extension
from reference_app.contract import plan as plans
from reference_app.contract.topology import TOPOLOGIES, Component, components
from reference_app.kit import deciders
from reference_app.query import slo

GUARD = "chaos.controls.recorder"
LEAST_BURN = 14.4 * 60 / 40
"""Bad events of 40 s of fault, in error budgets, from which on the lab's pair (14.4 over 60 s) fires: 2.2 % of an objective of 99.9 %."""
OF_PAGES = ("home-read-availability", "home-completeness")
"""Objectives whose bad events are the harm that an experiment predicts."""


def problems(experiment: Experiment) -> list[str]:
    """What is wrong with the experiment, in sentences; empty when nothing is."""
    return [
        *_toolkit(experiment),
        *_named_as_its_file(experiment),
        *_undoes_itself(experiment),
        *_injects(experiment),
        *_alerts(experiment),
        *_has_a_lab(experiment),
        *_aims(experiment),
        *_settings(experiment.extension),
        *_says_what_passes(experiment.extension),
    ]


def _toolkit(experiment: Experiment) -> Iterator[str]:
    try:
        ensure_experiment_is_valid(experiment.document)
    except ChaosException as error:
        yield f"the toolkit refuses it: {error}"
    for activity in _activities(experiment.document):
        function = _function(activity)
        if function is not None and inspect.iscoroutinefunction(function):
            yield f"{activity['name']!r} is an `async def`: the toolkit would report success without running it"


def _named_as_its_file(experiment: Experiment) -> Iterator[str]:
    if experiment.name != experiment.path.stem:
        yield f"its extension calls it {experiment.name!r}, its file {experiment.path.stem!r}"


def _undoes_itself(experiment: Experiment) -> Iterator[str]:
    document = experiment.document
    if document.get("runtime", {}).get("rollbacks", {}).get("strategy") != "always":
        yield "runtime.rollbacks.strategy is not `always`, so most failures would leave the fault in place"
    if (strategy := document.get("runtime", {}).get("hypothesis", {}).get("strategy", "default")) != "default":
        yield f"runtime.hypothesis.strategy is {strategy!r}: only `default` looks before and after, and plays the rollbacks whatever it finds"
    if GUARD not in {control.get("provider", {}).get("module") for control in document.get("controls", [])}:
        yield f"the control {GUARD} is not listed, so nothing holds the lease"
    if not any(_calls(activity, "undo_all") for activity in document.get("rollbacks", [])):
        yield "the rollbacks do not call chaos.actions.faults.undo_all"


def _injects(experiment: Experiment) -> Iterator[str]:
    truth, limit = experiment.extension.truth, experiment.extension.safety.longest_fault_s
    method = experiment.document.get("method", [])
    injected = {target for activity in method if _calls(activity, truth.fault) for target in _targets(activity)}
    if injected != set(truth.components):
        yield f"its truth names {', '.join(truth.components)}, its method acts on {', '.join(map(str, injected)) or 'nothing'}"
    if (held := longest_hold_s(experiment.document)) > limit:
        yield f"it holds the fault {held:g} s, its safety limit is {limit:g} s"


def longest_hold_s(document: dict[str, Any]) -> float:
    """For how long an experiment without a plan leaves its fault in force, at one time; 0 where it does not say so in seconds."""
    said = [_arguments(activity).get("seconds") for activity in document.get("method", []) if _calls(activity, "hold_fault")]
    return max((float(seconds) for seconds in said if isinstance(seconds, int | float)), default=0.0)


def _targets(activity: dict[str, Any]) -> list[Any]:
    """What it acts on; of a partition those whom nobody reaches, of a ring who joins or leaves."""
    arguments = _arguments(activity)
    several = ("callees", "components", "add", "remove")
    return next((list(arguments[name]) for name in several if arguments.get(name)), [arguments.get("component")])


def _alerts(experiment: Experiment) -> Iterator[str]:
    extension = experiment.extension
    predicted = dict.fromkeys(OF_PAGES, extension.predicted_harm) | extension.predicted_burns
    budgets = _budgets()
    if unknown := predicted.keys() - budgets.keys():
        yield f"it predicts burns of {', '.join(sorted(unknown))}; there are the objectives {', '.join(budgets)}"
    for alert in extension.expected_alerts:
        share = predicted.get(alert.slo or "", extension.predicted_harm if alert.slo is None else 0.0)
        least = LEAST_BURN * budgets.get(alert.slo or "", min(budgets.values()))
        if alert.name == "SloBurn" and share <= least:
            yield f"it expects a burn alert of {alert.slo}, which its predicted {share:.1%} of bad events cannot fire: it takes {least:.1%}"


@functools.cache
def _budgets() -> dict[str, float]:
    """Error budgets by the names of the objectives."""
    return {objective.name: objective.error_budget for objective in slo.read()}


def _has_a_lab(experiment: Experiment) -> Iterator[str]:
    lacking = {name: experiment.extension.missing(components(topology, 0)) for name, topology in TOPOLOGIES.items()}
    if all(lacking.values()):
        yield "no topology has all it needs: " + "; ".join(f"{name} lacks {', '.join(missing)}" for name, missing in lacking.items())


def _aims(experiment: Experiment) -> Iterator[str]:
    """Every target, of a fault, an alert or a probe, means somebody in one of the topologies."""
    extension = experiment.extension
    alerts = [alert.component for alert in (*extension.expected_alerts, *extension.tolerated_alerts) if alert.component]
    for target in dict.fromkeys((*targets.expressions(experiment.document), *alerts)):
        refused = [reason for topology in TOPOLOGIES.values() if (reason := _means_nobody(target, components(topology, 0)))]
        if len(refused) == len(TOPOLOGIES):
            yield f"it aims at nobody in any topology: {refused[0]}"


def _means_nobody(target: str, among: tuple[Component, ...]) -> str:
    try:
        targets.resolve(target, among, seed=0)
    except targets.BadTargetError as error:
        return str(error)
    return ""


def _settings(extension: Extension) -> Iterator[str]:
    for name, value in extension.deciders.items():
        if name not in deciders.DECIDERS:
            yield f"it sets the decider {name!r}, which does not exist: there are {', '.join(deciders.DECIDERS)}"
        elif not deciders.OFF <= value <= deciders.ON:
            yield f"it sets the decider {name} to {value}, which is outside of {deciders.OFF}..{deciders.ON}"
    try:
        phases = plans.phases(extension.phases)
    except ValueError as error:
        yield f"its phases: {error}"
    else:
        held = next(phase.end - phase.start for phase in phases if phase.name == "fault")
        if held > extension.safety.longest_fault_s:
            yield f"its phase `fault` lasts {held:g} s, its safety limit is {extension.safety.longest_fault_s:g} s"
    if extension.load is not None and extension.load <= 0:
        yield f"its load is {extension.load:g} of its preset: it has to be above 0"


def _says_what_passes(extension: Extension) -> Iterator[str]:
    """Who predicts a deviation names the switch that makes it pass, and the experiment that shows so if there is one."""
    if extension.expected_verdict == "deviated" and not extension.passes_with:
        yield "it predicts `deviated` and does not say with which switch it passes (passes_with)"
    if (twin := extension.twin_with) is None:
        return
    if twin not in catalogue.names():
        yield f"its twin {twin!r} is no experiment"
    elif catalogue.load(twin).extension.expected_verdict == extension.expected_verdict:
        yield f"its twin {twin} predicts {extension.expected_verdict} too: then nothing shows what the switch does"


def _activities(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield from document.get("steady-state-hypothesis", {}).get("probes", [])
    yield from document.get("method", [])
    yield from document.get("rollbacks", [])


def _function(activity: dict[str, Any]) -> Any:
    provider = activity.get("provider", {})
    if provider.get("type") != "python":
        return None
    try:
        return getattr(importlib.import_module(provider["module"]), provider["func"], None)
    except ImportError:
        return None


def _calls(activity: dict[str, Any], function: str) -> bool:
    return bool(activity.get("provider", {}).get("func") == function)


def _arguments(activity: dict[str, Any]) -> dict[str, Any]:
    arguments: dict[str, Any] = activity.get("provider", {}).get("arguments", {})
    return arguments
