"""What `failwhale slo generate` makes of an objective, beside the rules that Sloth (30 days) and slom (28 days) publish for the same one."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from failwhale.cli import build
from reference_app.kit.home import REPOSITORY

PUBLISHED = REPOSITORY.parent / "shared" / "data" / "slo"
pytestmark = pytest.mark.skipif(not PUBLISHED.is_dir(), reason="the published rules are not here")
DOCUMENT = """
apiVersion: openslo/v1
kind: SLO
metadata: {{name: published}}
spec:
  service: published
  budgetingMethod: Occurrences
  timeWindow: [{{duration: {period}, isRolling: true}}]
  objectives: [{{target: {target}}}]
  indicator:
    metadata: {{name: published}}
    spec:
      ratioMetric:
        counter: true
        bad: {{metricSource: {{type: Prometheus, spec: {{query: '{bad}'}}}}}}
        total: {{metricSource: {{type: Prometheus, spec: {{query: '{total}'}}}}}}
"""
SELECTED = re.compile(r"(?:rate|increase)\((?P<selector>[^()]+(?:\{[^}]*\}))\[(?P<window>\w+)\]\)")
LIMIT = re.compile(r"ratio(?:_rate)?(?P<window>\d+[mhd])\{[^}]*\}(?:\[\w+\]\))? > \(?(?P<limit>[\d.]+(?: \* [\d.]+)?)")


@dataclass(frozen=True)
class Rules:
    """Of burn rules: who is called by which pair of windows at which share of bad events, and what is counted over which windows."""

    limits: frozenset[tuple[str, frozenset[tuple[str, float]]]]
    counted: frozenset[tuple[str, str]]


def rules_of(text: str) -> Rules:
    """What they say, whoever wrote them; those of a whole period, of which no alert here asks, are left out."""
    rules = [rule for group in yaml.safe_load(text)["groups"] for rule in group["rules"]]
    alerts = [rule for rule in rules if "alert" in rule and LIMIT.search(rule["expr"])]
    limits = {(severity(rule["labels"]), limits_of(part)) for rule in alerts for part in re.split(r"\nor\n", rule["expr"])}
    expressions = [str(rule["expr"]) for rule in rules if "record" in rule]
    counted = {(found["selector"], found["window"]) for each in expressions for found in SELECTED.finditer(each)}
    return Rules(frozenset(limits), frozenset(one for one in counted if one[1] != "4w"))


def severity(labels: dict[str, str]) -> str:
    return labels.get("sloth_severity", labels["severity"])


def limits_of(condition: str) -> frozenset[tuple[str, float]]:
    """Window and share of bad events."""
    found = [(match["window"], match["limit"].split(" * ")) for match in LIMIT.finditer(condition)]
    return frozenset((window, round(float(factors[0]) * float(factors[1] if factors[1:] else 1), 9)) for window, factors in found)


def generated(path: Path, **objective: Any) -> Rules:
    path.write_text(DOCUMENT.format(**objective))
    done = CliRunner().invoke(build(["slo"]), ["slo", "generate", "--file", str(path)])
    assert done.exit_code == 0, done.output
    return rules_of(done.stdout)


def sloth() -> tuple[Rules, dict[str, Any]]:
    (spec,) = yaml.safe_load((PUBLISHED / "sloth/getting-started.yml").read_text())["slos"]
    bad, total = (re.findall(r"rate\((.*)\[", spec["sli"]["events"][f"{part}_query"])[0] for part in ("error", "total"))
    rules = rules_of((PUBLISHED / "sloth/_gen/getting-started.yml").read_text())
    return rules, {"period": "30d", "target": spec["objective"] / 100, "bad": bad, "total": total}


def slom() -> tuple[Rules, dict[str, Any]]:
    (spec,) = yaml.safe_load((PUBLISHED / "slom/spec/example.yaml").read_text())["slos"]
    bad, total = re.findall(r"rate\((.*?)\[", spec["indicator"]["prometheus"]["errorRatio"])
    rules = rules_of((PUBLISHED / "slom/out/prometheus-rule-prometheus/example.yaml").read_text())
    return rules, {"period": "28d", "target": spec["objective"]["ratio"], "bad": bad, "total": total}


def test_sloth_calls_the_same_people_at_the_same_shares_over_the_same_windows(tmp_path: Path) -> None:
    published, objective = sloth()
    assert ("page", frozenset({("1h", 0.0144), ("5m", 0.0144)})) in published.limits
    assert len(published.limits) == 4
    assert generated(tmp_path / "slo.yaml", **objective) == published


def test_slom_does_in_the_two_pairs_that_its_example_has(tmp_path: Path) -> None:
    published, objective = slom()
    ours = generated(tmp_path / "slo.yaml", **objective)
    assert ("page", frozenset({("1h", 0.1344), ("5m", 0.1344)})) in published.limits
    assert len(published.limits) == 2
    assert published.limits < ours.limits
    assert published.counted < ours.counted


@pytest.mark.parametrize(("changed", "to"), [("period", "28d"), ("target", 0.99), ("bad", "failed{}"), ("total", "asked{}")])
def test_another_objective_makes_other_rules(tmp_path: Path, changed: str, to: object) -> None:
    published, objective = sloth()
    assert generated(tmp_path / "slo.yaml", **objective | {changed: to}) != published
