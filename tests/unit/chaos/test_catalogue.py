from __future__ import annotations

from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from chaos import catalogue, rules
from chaos.catalogue import Experiment
from reference_app.contract.topology import SMALL, STANDARD, TOPOLOGIES, Lab, Topology, components

NAMES = ("kill-tweet-shard", "kill-tweet-shard-no-replica-reads")


def test_both_experiments_are_listed() -> None:
    assert set(NAMES) <= set(catalogue.names())


@pytest.mark.parametrize("name", catalogue.names())
def test_every_experiment_is_safe_and_can_be_judged(name: str) -> None:
    assert rules.problems(catalogue.load(name)) == []


def test_the_two_experiments_predict_what_the_switch_decides() -> None:
    passing, failing = (catalogue.load(name).extension for name in NAMES)
    assert (passing.expected_verdict, failing.expected_verdict) == ("passed", "deviated")
    assert failing.passes_with == "decider replica_reads"
    assert [alert.severity for alert in passing.expected_alerts] == ["ticket"]
    assert [alert.slo for alert in failing.expected_alerts if alert.severity == "page"] == ["home-completeness"]


def test_an_unknown_name_lists_what_there_is() -> None:
    with pytest.raises(catalogue.UnknownExperimentError, match="kill-tweet-shard"):
        catalogue.load("nope")


def planted(**changes: Any) -> Experiment:
    """A sound experiment with parts of its document replaced."""
    sound = catalogue.load(NAMES[0])
    document = deepcopy(sound.document) | changes
    return Experiment(sound.path, sound.title, sound.description, catalogue.extension_of(document), document)


def extension(**changes: Any) -> list[dict[str, Any]]:
    document = catalogue.load(NAMES[0]).document
    return [document["extensions"][0] | changes]


def activity(module: str, func: str, **arguments: Any) -> dict[str, Any]:
    return {"type": "action", "name": func, "provider": {"type": "python", "module": module, "func": func, "arguments": arguments}}


KILL = activity("chaos.actions.faults", "kill_and_hold", component="tweets-db-0-primary")

VIOLATIONS: dict[str, tuple[dict[str, Any], str]] = {
    "the toolkit refuses it": ({"method": None}, "the toolkit refuses it"),
    "rollbacks are left to the default": ({"runtime": {}}, "not `always`"),
    "no guard": ({"controls": []}, "nothing holds the lease"),
    "no undo": ({"rollbacks": []}, "do not call chaos.actions.faults.undo_all"),
    "another component than the truth's": ({"method": [activity("chaos.actions.faults", "kill_and_hold", component="events-0")]}, "acts on events-0"),
    "held longer than is safe": ({"method": [KILL, activity("chaos.actions.clock", "hold_fault", seconds=99)]}, "safety limit is 60 s"),
    "another name than its file's": ({"extensions": extension(drill="other")}, "its extension calls it 'other'"),
    "a lab that does not exist": ({"extensions": extension(requires=["edge-7"])}, "small lacks edge-7; standard lacks edge-7"),
    "a group that does not exist": ({"extensions": extension(requires=["all:caches"])}, "no group 'caches'; its groups are"),
    "an alert of nobody": (
        {"extensions": extension(expected_alerts=[{"name": "ComponentDown", "severity": "ticket", "component": "tweet-db-0"}])},
        "no component 'tweet-db-0'",
    ),
    "a burn alert that cannot fire": (
        {"extensions": extension(expected_alerts=[{"name": "SloBurn", "severity": "page", "slo": "home-completeness"}])}, "cannot fire",
    ),
    "a decider that does not exist": ({"extensions": extension(deciders={"nonsense": 1})}, "'nonsense', which does not exist"),
    "a decider out of its range": ({"extensions": extension(deciders={"retries": 10_001})}, "outside of 0..10000"),
    "a phase that does not exist": ({"extensions": extension(phases={"lunch": 5})}, "its phases"),
    "a fault that is planned to last longer than is safe": ({"extensions": extension(phases={"fault": 90})}, "lasts 90 s, its safety limit is 60 s"),
    "no load": ({"extensions": extension(load=0)}, "above 0"),
    "a deviation that nothing mends": ({"extensions": extension(expected_verdict="deviated")}, "with which switch it passes"),
    "a twin that does not exist": ({"extensions": extension(twin_with="nobody")}, "'nobody' is no experiment"),
    "a twin that shows the same": ({"extensions": extension(twin_with="kill-tweet-shard")}, "predicts passed too"),
    "a burn of another objective that it does not predict": (
        {"extensions": extension(expected_alerts=[{"name": "SloBurn", "severity": "page", "slo": "delivery-latency"}])}, "it takes 21.6%",
    ),
    "a burn of an objective that does not exist": ({"extensions": extension(predicted_burns={"joy": 0.5})}, "it predicts burns of joy"),
    "an action that would not run": ({"method": [KILL, activity("asyncio", "sleep", delay=1)]}, "`async def`"),
}  # fmt: skip


@pytest.mark.parametrize(("changes", "problem"), VIOLATIONS.values(), ids=VIOLATIONS.keys())
def test_a_planted_violation_is_found(changes: dict[str, Any], problem: str) -> None:
    experiment = planted(**{key: value for key, value in changes.items() if value is not None})
    for key in [key for key, value in changes.items() if value is None]:
        del experiment.document[key]
    assert any(problem in found for found in rules.problems(experiment)), rules.problems(experiment)


def lab(topology: Topology) -> Lab:
    return Lab("", topology.name, 1, components(topology, 1), "", "")


def test_an_experiment_says_which_lab_it_needs_and_where_it_can_run() -> None:
    gateway = catalogue.load("kill-gateway").extension
    assert gateway.why_not(lab(STANDARD)) == ""
    reason = gateway.why_not(lab(SMALL))
    assert "edge-0, gateway-1" in reason
    assert "failwhale up --topology standard" in reason


@pytest.mark.parametrize("name", NAMES)
def test_the_experiments_on_a_tweet_shard_run_on_every_topology(name: str) -> None:
    assert [catalogue.load(name).extension.why_not(lab(topology)) for topology in TOPOLOGIES.values()] == [""] * len(TOPOLOGIES)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("title: [", "expected"),
        ("- a list", "Expected `object`"),
        ("description: nothing else", "missing required field `title`"),
        ("{title: t, description: d, extensions: [{name: failwhale, drill: mine}]}", "missing required field"),
        ("{title: t, description: d, extensions: {name: failwhale}}", "no attribute 'get'"),
        (catalogue.load("kill-fanout").path.read_text(), "`drill: kill-fanout`, which has to be the name of the file: `drill: mine`"),
    ],
)
def test_a_file_that_is_no_experiment_is_named_with_what_is_wrong(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, said: str
) -> None:
    monkeypatch.setattr(catalogue, "DIRECTORY", tmp_path)
    (tmp_path / "mine.yaml").write_text(text)
    with pytest.raises(catalogue.InvalidExperimentError) as raised:
        catalogue.load("mine")
    assert "mine.yaml" in str(raised.value)
    assert said in str(raised.value)


def test_an_unknown_field_in_the_extension_is_refused() -> None:
    with pytest.raises(catalogue.InvalidExperimentError, match="surprise"):
        catalogue.extension_of({"title": "t", "extensions": extension(surprise=1)})


def test_an_unknown_field_further_down_is_refused_by_its_path() -> None:
    """Else a guard with a slip of the pen would silently be the usual one."""
    nested = extension(
        safety={"longest_fault_s": 60, "guard": {}}, expected_alerts=[{"name": "ComponentDown", "severity": "ticket", "sol": "x"}]
    )
    with pytest.raises(catalogue.InvalidExperimentError, match=r"unknown in the extension: expected_alerts\.sol, safety\.guard"):
        catalogue.extension_of({"title": "t", "extensions": nested})


def test_a_function_that_does_not_exist_is_told_by_the_toolkit() -> None:
    method = [KILL, activity("chaos.nowhere", "nothing")]
    assert any("the toolkit refuses it" in problem for problem in rules.problems(planted(method=method)))


def test_a_document_without_our_extension_is_refused() -> None:
    with pytest.raises(catalogue.InvalidExperimentError, match="no extension"):
        catalogue.extension_of({"title": "t"})


def test_a_verdict_that_does_not_exist_is_refused() -> None:
    with pytest.raises(catalogue.InvalidExperimentError, match="expected_verdict"):
        catalogue.extension_of({"title": "t", "extensions": extension(expected_verdict="green")})


def test_a_run_aims_the_truth_and_the_alerts_at_what_the_expression_meant() -> None:
    document = {
        "title": "t",
        "extensions": extension(
            truth={"fault": "pause", "components": ["all:tweet-cache", "gateway-0"]},
            expected_alerts=[{"name": "ComponentHung", "severity": "ticket", "component": "all:tweet-cache"}, {"name": "SloBurn", "severity": "page"}],
        ),
    }  # fmt: skip
    wanted = catalogue.extension_of(document)
    aimed = wanted.aimed({"all:tweet-cache": ("tweet-cache-0", "tweet-cache-1")})
    assert aimed.truth.components == ("tweet-cache-0", "tweet-cache-1", "gateway-0")
    assert [(alert.name, alert.component) for alert in aimed.expected_alerts] == [
        ("ComponentHung", "tweet-cache-0"), ("ComponentHung", "tweet-cache-1"), ("SloBurn", None),
    ]  # fmt: skip
    assert wanted.why_not(lab(SMALL)) == ""


def test_a_lab_that_has_nobody_for_an_expression_is_none_for_the_experiment() -> None:
    wanted = catalogue.extension_of({"title": "t", "extensions": extension(truth={"fault": "pause", "components": ["replicas:graph-db"]})})
    assert "needs replicas:graph-db" in wanted.why_not(lab(SMALL))
    assert wanted.why_not(lab(STANDARD)) == ""
