"""The experiments there are. An experiment is a file of Chaos Toolkit; what a drill adds stands in its `extensions` block."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, is_dataclass, replace
from pathlib import Path
from typing import Any, Literal, get_args, get_origin, get_type_hints

import msgspec
import yaml

from chaos import targets
from chaos.audit.model import Finding
from chaos.guards import Limits
from reference_app.contract.topology import TOPOLOGIES, Component, Lab, components

DIRECTORY = Path(__file__).parent / "experiments"
EXTENSION = "failwhale"

Verdict = Literal["passed", "deviated", "baseline-not-met", "not-injected", "inconclusive", "interrupted", "skipped", "error"]


class CatalogueError(Exception):
    """There is no such experiment, or it is none that can be run; the message says what to do."""


class UnknownExperimentError(CatalogueError):
    """No experiment has that name."""


class InvalidExperimentError(CatalogueError):
    """The file is not an experiment that a drill can run; the message lists what is wrong."""


@dataclass(frozen=True)
class Truth:
    """What is really done to the lab; alerts and diagnosis are scored against it. `components` are targets (chaos.targets); `propagation` says
    how it spreads, in words.
    """

    fault: str
    components: tuple[str, ...]
    propagation: tuple[str, ...] = ()


@dataclass(frozen=True)
class ExpectedAlert:
    """An alert by name and the labels that matter; None matches any value. `component` is a target: one that is a group is an alert of each."""

    name: str
    severity: Literal["page", "ticket"]
    component: str | None = None
    slo: str | None = None


@dataclass(frozen=True)
class Hypothesis:
    """Lower bounds for the fault phase; one that is 0 asks nothing. `goodput_ratio` compares the share of the home pages that users wanted and
    got, at whichever attempt, with that of the phase `before`.

    `after_goodput_ratio` is for the time from 30 s after the fault on (chaos.aftermath), None for no bound.
    """

    goodput_ratio: float
    completeness: float
    post_acknowledgement: float
    after_goodput_ratio: float | None = None

    @property
    def when_well(self) -> float:
        """The bound of goodput while nothing is broken."""
        return max(self.goodput_ratio, self.after_goodput_ratio or 0.0)


@dataclass(frozen=True)
class Safety:
    """No run holds the fault longer than `longest_fault_s` seconds; `guards` say when it ends before."""

    longest_fault_s: float
    guards: Limits = field(default_factory=Limits)


@dataclass(frozen=True)
class Extension:
    """The `failwhale` entry of an experiment's `extensions`.

    `predicted_harm` is the share of home pages in the fault phase that lack something; `predicted_burns` says of other objectives (name ->
    share) how many of their events are bad. `tolerated_alerts` are true consequences that may fire and need not.
    `predicted_violations` are the promises that the audit will find broken. `passes_with` names the switch that makes a deviating experiment
    pass. `requires` names components that the lab must have beside those that are hit.
    `phases` are lengths in seconds other than the usual ones; `deciders` (name -> value) are in force from before the load until the run
    ends; `load` is the share of the preset's rates, None for what the lab is given. `twin_with` is the experiment that differs in a
    switch alone. `incident` is the short name of the incident that is re-enacted, `source` where it is told in public.
    """

    drill: str
    load_preset: str
    truth: Truth
    expected_verdict: Verdict
    predicted_harm: float
    hypothesis: Hypothesis
    safety: Safety
    recovery_phase: str
    runbook: str
    predicted_burns: dict[str, float] = field(default_factory=dict)
    expected_alerts: tuple[ExpectedAlert, ...] = ()
    tolerated_alerts: tuple[ExpectedAlert, ...] = ()
    predicted_violations: tuple[Finding, ...] = ()
    passes_with: str | None = None
    requires: tuple[str, ...] = ()
    phases: dict[str, float] = field(default_factory=dict)
    deciders: dict[str, int] = field(default_factory=dict)
    load: float | None = None
    twin_with: str | None = None
    incident: str | None = None
    source: str | None = None

    def why_not(self, lab: Lab) -> str:
        """Why this lab is none for the experiment, in a sentence; empty when it is one."""
        if not (missing := self.missing(lab.components)):
            return ""
        fitting = [name for name, topology in TOPOLOGIES.items() if not self.missing(components(topology, 0))]
        return (
            f"{self.drill} needs {', '.join(missing)}, which a lab of the topology {lab.topology} does not have: "
            f"run it in a home that was started with `failwhale up --topology {' or '.join(fitting)}`"
        )

    def missing(self, among: Iterable[Component]) -> list[str]:
        """Targets that mean nobody among these, and components that are required and not among them."""
        present = tuple(among)
        return [target for target in (*self.truth.components, *self.requires) if not _meant(target, present)]

    def aimed(self, meant: Mapping[str, tuple[str, ...]]) -> Extension:
        """With components in place of the expressions (chaos.targets), as a run's plan recorded them; an alert of each."""
        components = tuple(name for target in self.truth.components for name in meant.get(target, (target,)))
        return replace(
            self, truth=replace(self.truth, components=components),
            expected_alerts=_alerts_of(self.expected_alerts, meant), tolerated_alerts=_alerts_of(self.tolerated_alerts, meant),
        )  # fmt: skip


def _meant(target: str, among: tuple[Component, ...]) -> tuple[str, ...]:
    try:
        return targets.resolve(target, among, seed=0)
    except targets.BadTargetError:
        return ()


def _alerts_of(alerts: Iterable[ExpectedAlert], meant: Mapping[str, tuple[str, ...]]) -> tuple[ExpectedAlert, ...]:
    return tuple(
        replace(alert, component=name)
        for alert in alerts
        for name in ((None,) if alert.component is None else meant.get(alert.component, (alert.component,)))
    )


@dataclass(frozen=True)
class Experiment:
    """One file. `document` is what the toolkit sees."""

    path: Path
    title: str
    description: str
    extension: Extension
    document: dict[str, Any]

    @property
    def name(self) -> str:
        return self.extension.drill


@dataclass(frozen=True)
class _Told:
    """What people read of a document."""

    title: str
    description: str


def names() -> list[str]:
    """All experiments, in alphabetical order."""
    return sorted(path.stem for path in DIRECTORY.glob("*.yaml"))


def load(name: str) -> Experiment:
    """The experiment of that name. Raises UnknownExperimentError and InvalidExperimentError."""
    path = DIRECTORY / f"{name}.yaml"
    if name not in names():
        raise UnknownExperimentError(f"there is no experiment {name!r}; there are {', '.join(names())}")
    experiment = read(path)
    if experiment.name != name:
        raise InvalidExperimentError(
            f"{path}: its extension says `drill: {experiment.name}`, which has to be the name of the file: `drill: {name}`"
        )
    return experiment


def read(path: Path) -> Experiment:
    """An experiment from any file. Raises InvalidExperimentError when it is not one of ours."""
    try:
        document = yaml.load(path.read_text(), Loader=yaml.CSafeLoader)  # the one in Python takes half a second for all
        told = msgspec.convert(document, _Told)
        return Experiment(path, told.title, told.description, extension_of(document), document)
    except (yaml.YAMLError, AttributeError, TypeError, ValueError, InvalidExperimentError) as error:
        raise InvalidExperimentError(f"{path}: {error}; mend it, or move it away") from error


def extension_of(document: dict[str, Any]) -> Extension:
    """Our part of an experiment document. Raises InvalidExperimentError."""
    found = next((entry for entry in document.get("extensions") or [] if entry.get("name") == EXTENSION), None)
    if found is None:
        raise InvalidExperimentError(f"{document.get('title')!r} has no extension named {EXTENSION!r}")
    fields = {key: value for key, value in found.items() if key != "name"}
    if unknown := sorted(set(_unknown(fields, Extension))):
        raise InvalidExperimentError(f"{document.get('title')!r}: unknown in the extension: {', '.join(unknown)}")
    try:
        return msgspec.convert(fields, Extension)
    except msgspec.ValidationError as error:
        raise InvalidExperimentError(f"{document.get('title')!r}: extension: {error}") from error


def _unknown(told: Any, kind: Any, above: str = "") -> Iterator[str]:
    """Paths of what a document says and the dataclass does not have, at any depth: `safety.guard`."""
    if get_origin(kind) is tuple and isinstance(told, list):
        for each in told:
            yield from _unknown(each, get_args(kind)[0], above)
    elif is_dataclass(kind) and isinstance(told, dict):
        known = get_type_hints(kind)
        for name, value in told.items():
            path = f"{above}{name}"
            yield from _unknown(value, known[name], f"{path}.") if name in known else (path,)
