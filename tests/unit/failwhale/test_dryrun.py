"""What a dry run tells, of a home without a lab: it is told without one, and leaves none behind."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest
from typer.testing import CliRunner

from chaos import catalogue, halt, verdict
from chaos.faults.families import AnyFault
from chaos.faults.toxics import Spoil
from chaos.outlook import Outlook
from failwhale import cli, dryrun, knee, planning
from failwhale.bench import measure
from failwhale.commands import told
from failwhale.run import Wish
from loadgen.model import presets
from reference_app.contract import topology
from reference_app.kit import files, lease
from reference_app.kit.home import HOME_VARIABLE, REPOSITORY, Home

SLOW, GROUP, DEMO = "slow-timeline-cache", "kill-tweet-caches", "kill-tweet-shard-no-replica-reads"


def ahead(home: Path, wish: Wish) -> Outlook:
    return dryrun.look_ahead(Home(home), wish, now=time.time())


def test_it_tells_faults_load_and_expectations_and_leaves_nothing(tmp_path: Path) -> None:
    outlook = ahead(tmp_path, Wish(SLOW))
    (fault,) = outlook.faults
    assert (fault.kind, fault.components, fault.engine) == ("latency", ("timeline-cache-0",), "fault proxy")
    assert [(phase.name, phase.reads_per_s) for phase in outlook.phases if phase.name in ("before", "fault")] == [
        ("before", 80.0),
        ("fault", 80.0),
    ]
    assert [(share.component, share.of) for share in outlook.blast_radius.targets] == [("timeline-cache-0", "users")]
    assert list(tmp_path.iterdir()) == []


def test_the_undo_record_that_it_tells_is_the_one_that_would_take_the_fault_back(tmp_path: Path) -> None:
    (fault,) = ahead(tmp_path, Wish(SLOW, sham=True)).faults
    record = msgspec.convert(fault.undo, AnyFault, strict=False)
    assert isinstance(record, Spoil)
    assert (record.component, record.sham) == ("timeline-cache-0", True)


def test_what_an_own_experiment_lacks_to_be_judged_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert not any("strategy" in remark for remark in ahead(tmp_path / "one", Wish(SLOW)).remarks)
    monkeypatch.setattr(catalogue, "DIRECTORY", tmp_path)
    text = (REPOSITORY / "chaos" / "experiments" / f"{SLOW}.yaml").read_text()
    (tmp_path / f"{SLOW}.yaml").write_text(text.replace("strategy: always", "strategy: default"))
    assert any("rollbacks.strategy is not `always`" in remark for remark in ahead(tmp_path / "two", Wish(SLOW)).remarks)


def test_a_group_is_told_by_name_and_as_one_fault_of_each(tmp_path: Path) -> None:
    outlook = ahead(tmp_path, Wish(GROUP, topology="caches"))
    assert outlook.targets["all:tweet-cache"] == tuple(f"tweet-cache-{number}" for number in range(6))
    assert [fault.components for fault in outlook.faults] == [(f"tweet-cache-{number}",) for number in range(6)]
    assert outlook.blast_radius.owned == 1.0


def test_a_sham_predicts_no_harm_and_expects_no_alert(tmp_path: Path) -> None:
    real, sham = ahead(tmp_path, Wish(DEMO)), ahead(tmp_path, Wish(DEMO, sham=True))
    assert (real.blast_radius.predicted > 0, real.expected_verdict, len(real.expected_alerts) > 0) == (True, "deviated", True)
    assert (sham.blast_radius.predicted, sham.expected_verdict, sham.expected_alerts) == (0.0, "passed", ())


def test_a_sham_holds_if_nothing_is_harmed(tmp_path: Path) -> None:
    assert ahead(tmp_path, Wish("retry-storm", sham=True)).hypothesis == verdict.UNHARMED


def test_what_has_to_hold_long_after_the_fault_is_told(tmp_path: Path) -> None:
    (line,) = [line for line in told.outlook(ahead(tmp_path, Wish("retry-storm"))) if line.startswith("holds if")]
    assert line.endswith(", goodput from 30 s after the fault on >= 95%")


def test_the_load_that_is_told_is_the_one_that_a_knee_leaves_to_the_drill(tmp_path: Path) -> None:
    here = measure.machine()
    slow = knee.Kept(knee.SCHEMA, here.at, here.cpu, here.cores, "small", "plateau", 0.1, 20.0, "objectives", (), ())
    files.write_json(tmp_path / knee.FILE, slow)
    outlook = ahead(tmp_path, Wish(SLOW))
    share = knee.cap(Home(tmp_path), "small", presets.named("goal"))
    assert share is not None
    assert (outlook.load, share < topology.load_of("small")) == (share, True)
    assert {phase.reads_per_s for phase in outlook.phases if phase.name == "fault"} == {round(160 * share, 1)}


def test_without_an_injection_no_fault_is_told(tmp_path: Path) -> None:
    outlook = ahead(tmp_path, Wish(SLOW, inject=False))
    assert (outlook.faults, outlook.expected_verdict, outlook.blast_radius.predicted) == ((), "not-injected", 0.0)


def test_a_lab_that_is_none_for_the_drill_is_told_with_what_can_be_told(tmp_path: Path) -> None:
    outlook = ahead(tmp_path, Wish("kill-gateway"))
    assert not outlook.possible
    assert "failwhale up --topology standard" in outlook.reasons[0]


def test_a_lab_that_another_run_holds_is_told(tmp_path: Path) -> None:
    lease.take(Home(tmp_path).chaos, "run-1", now=time.time())
    outlook = ahead(tmp_path, Wish(SLOW))
    assert (outlook.possible, outlook.reasons) == (False, ("run run-1 holds the lab",))


def test_a_halted_lab_is_refused_as_a_drill_is(tmp_path: Path) -> None:
    halt.pull(Home(tmp_path).chaos, "maintenance", now=time.time())
    with pytest.raises(planning.DrillError, match="maintenance"):
        ahead(tmp_path, Wish(SLOW))


@pytest.mark.verify
@pytest.mark.parametrize("name", catalogue.names())
def test_every_experiment_can_be_told(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(HOME_VARIABLE, str(tmp_path))
    wish = Wish(name)
    if not ahead(tmp_path, wish).phases:
        wish = replace(wish, topology="standard")
    lines = list(told.outlook(ahead(tmp_path, wish)))
    assert any(line.startswith("load ") for line in lines)


@pytest.mark.parametrize(("name", "code"), [(DEMO, 0), ("kill-gateway", 2), ("no-such-drill", 2)])
def test_the_command_exits_by_whether_the_drill_could_be_run(name: str, code: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(HOME_VARIABLE, str(tmp_path))
    done = CliRunner().invoke(cli.build(["drill"]), ["drill", name, "--dry-run", "--json"])
    assert done.exit_code == code, done.output
    if name != "no-such-drill":
        assert msgspec.json.decode(done.stdout)["schema"] == "failwhale/dry-run/v1"
