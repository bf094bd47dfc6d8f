"""What the experiments are as a whole: enough of them, for every part of the app, each with words that teach and alerts that exist."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace

import pytest

from chaos import catalogue
from chaos.catalogue import Experiment
from postmortems import heartbeat
from reference_app.contract.topology import STANDARD, components
from reference_app.kit.home import REPOSITORY

LIBRARY = [catalogue.load(name) for name in catalogue.names()]
ALERTS = {heartbeat.MISSING, *re.findall(r"- alert: (\w+)", (REPOSITORY / "deploy/_gen/rules/lab-standard.yml").read_text())}
SHORTEST_LESSON = 35
"""Words of a description."""
WITHOUT_A_DRILL = {"keyvalue", "search", "graph", "keyvalue-db", "receiver"}
"""Parts whose loss is tested (docs/failures.md), and teaches nothing that another part's does not."""


def hit(experiment: Experiment) -> set[str]:
    """Groups that the fault is aimed at."""
    lab = components(STANDARD, 0)
    named = {target.rpartition(":")[2] for target in experiment.extension.truth.components}
    return {c.group for c in lab if {c.name, c.group, c.shard, c.name.removesuffix("-primary")} & named}


def test_there_is_a_drill_for_every_part_of_the_app() -> None:
    assert len(LIBRARY) >= 20
    groups = {component.group for component in components(STANDARD, 0)}
    assert groups - {group for experiment in LIBRARY for group in hit(experiment)} <= WITHOUT_A_DRILL


@pytest.mark.parametrize("experiment", LIBRARY, ids=lambda experiment: experiment.name)
def test_a_drill_teaches_and_names_a_runbook_and_alerts_that_exist(experiment: Experiment) -> None:
    extension = experiment.extension
    assert len(experiment.description.split()) >= SHORTEST_LESSON
    assert extension.truth.propagation
    assert (REPOSITORY / extension.runbook).exists()
    assert {alert.name for alert in (*extension.expected_alerts, *extension.tolerated_alerts)} <= ALERTS


def without_a_twin(library: Iterable[Experiment]) -> set[str]:
    """Drills that deviate, and no drill shows the switch with which they pass."""
    return {each.name for each in library if each.extension.expected_verdict == "deviated" and each.extension.twin_with is None}


def test_what_makes_a_deviating_drill_pass_is_a_drill_of_its_own() -> None:
    assert without_a_twin(LIBRARY) == set()


def test_a_planted_deviation_that_nobody_shows_to_pass_is_found() -> None:
    sound = catalogue.load("pause-users")
    assert without_a_twin([replace(sound, extension=replace(sound.extension, twin_with=None))]) == {"pause-users"}
