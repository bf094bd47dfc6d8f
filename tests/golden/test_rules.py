"""The committed rules, judged by promtool. By hand: `promtool test rules tests/golden/rules/*.yml`."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from dashboards.rules import generate
from postmortems import heartbeat
from postmortems.incidents import Book

REPOSITORY = Path(__file__).resolve().parents[2]
RULES = REPOSITORY / generate.FOLDER
TESTS = sorted((REPOSITORY / "tests/golden/rules").glob("*.test.yml"))


def promtool(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    program = shutil.which("promtool")
    if program is None:
        pytest.skip("promtool is not installed: run scripts/setup.sh")
    return subprocess.run([program, *arguments], capture_output=True, text=True, check=False)


def alerts(file: str) -> list[dict[str, object]]:
    groups = yaml.safe_load((RULES / file).read_text())["groups"]
    return [rule for group in groups for rule in group["rules"] if "alert" in rule]


def test_committed_rules_are_what_would_be_generated_now() -> None:
    assert generate.drifted(REPOSITORY) == [], "run `make gen`"


def test_an_edited_rule_file_is_drift(tmp_path: Path) -> None:
    generate.write(tmp_path)
    edited = tmp_path / generate.FOLDER / "lab.yml"
    edited.write_text(edited.read_text().replace("0.0144", "0.0145", 1))
    (tmp_path / generate.FOLDER / "production.yml").unlink()
    assert generate.drifted(tmp_path) == [generate.FOLDER / "lab.yml", generate.FOLDER / "production.yml"]


def test_promtool_accepts_the_rules() -> None:
    checked = promtool("check", "rules", *(REPOSITORY / path for path in generate.rule_files()))
    assert checked.returncode == 0, checked.stdout + checked.stderr


@pytest.mark.parametrize("file", TESTS, ids=lambda path: path.name)
def test_alerts_fire_and_reset_as_documented(file: Path, tmp_path: Path) -> None:
    tested = promtool("test", "rules", _with_rules(tmp_path, file, _committed(file)))
    assert tested.returncode == 0, tested.stdout + tested.stderr


@pytest.mark.parametrize(
    ("case", "right", "wrong"),
    [
        (
            "a component that was never up",
            "last_over_time(component:up:recent[3s]) == 1 or last_over_time(component:up:seen[3s])",
            "vector(1)",
        ),
        ("a killed primary is one alert", "\n      unless on (shard) label_replace", "\n      unless on (component) label_replace"),
        ("a paused process is hung and not down", "unless on (component) component_hung == 1", "unless on (component) component_hung == 2"),
        (
            "a store that answers its callers late",
            "unless on () (last_over_time(component:slow:itself",
            "unless on () (last_over_time(nothing",
        ),
    ],
    ids=["start-up latch", "muted while its primary is down", "hung is not down", "only the deepest is slow"],
)
def test_the_rule_tests_notice_a_broken_cause_rule(tmp_path: Path, case: str, right: str, wrong: str) -> None:
    content = (RULES / "lab.yml").read_text()
    assert right in content
    (file,) = (path for path in TESTS if path.name.startswith("causes") and f"name: {case}" in path.read_text())
    assert promtool("test", "rules", _with_rules(tmp_path, file, content.replace(right, wrong), only=case)).returncode != 0


def test_without_an_edge_availability_is_counted_at_the_gateway_and_with_one_at_the_edge() -> None:
    without, with_edge, production = ((RULES / f"{name}.yml").read_text() for name in ("lab", "lab-standard", "production"))
    assert "haproxy_backend_http" not in without
    for rules in (with_edge, production):
        assert 'sum(increase(haproxy_backend_http_responses_total{service="edge",proxy="home"}[' in rules
        assert 'sum(increase(http_server_request_duration_seconds_count{service="gateway",http_route="/home"}[' not in rules
        assert 'failwhale_home_pages_total{service="gateway"}' in rules


def test_every_alert_is_named_in_a_rule_test_and_has_a_runbook() -> None:
    cases = "".join(path.read_text() for path in TESTS)
    for alert in (*alerts("lab.yml"), *alerts("production.yml")):
        annotations, labels = alert["annotations"], alert["labels"]
        assert isinstance(annotations, dict)
        assert isinstance(labels, dict)
        runbook = REPOSITORY / annotations["runbook_url"]
        assert runbook.read_text().startswith(f"# {alert['alert']}\n")
        assert f'alertname="{alert["alert"]}"' in cases
        assert labels["severity"] in ("page", "ticket") or alert["alert"] == "Watchdog"


def test_the_alert_that_no_rule_makes_has_a_runbook() -> None:
    (missing,) = heartbeat.changed(Book(), "missing", at=0.0, silent=lambda: "prometheus")
    assert missing.severity == "page"
    runbook = (REPOSITORY / missing.runbook_url).read_text()
    assert runbook.startswith("# Watchdog\n")
    assert f"**{missing.name}**" in runbook


def test_no_runbook_is_left_without_its_alert() -> None:
    known = {alert["alert"] for alert in alerts("lab.yml")}
    assert {path.stem for path in (REPOSITORY / "docs/runbooks").glob("*.md")} == known


def _committed(test: Path) -> str:
    """The rules that a test file is about."""
    (rules,) = yaml.safe_load(test.read_text())["rule_files"]
    return (test.parent / rules).read_text()


def _with_rules(directory: Path, test: Path, rules: str, *, only: str = "") -> Path:
    """The test over these rules. Only the groups that it asks about, causes or objectives: promtool evaluates all that it is given."""
    about_causes = test.name.startswith("causes")
    groups = [group for group in yaml.safe_load(rules)["groups"] if (group["name"] == "causes") == about_causes]
    (directory / "rules.yml").write_text(yaml.safe_dump({"groups": groups}))
    document = yaml.safe_load(test.read_text()) | {"rule_files": ["rules.yml"]}
    document["tests"] = [case for case in document["tests"] if case.get("name", "").startswith(only)]
    copied = directory / test.name
    copied.write_text(yaml.safe_dump(document))
    return copied
