"""What one recorded drill and one recorded sham say: verdict, load, audit, alerts, evidence, postmortem."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from chaos import undo
from postmortems import check
from reference_app.kit import lease
from reference_app.kit.home import Home

pytestmark = [pytest.mark.lab, pytest.mark.drill, pytest.mark.timeout(750)]

KILLED = "tweets-db-0-primary"
OBJECT = {
    "schema", "drill", "run_id", "seed", "topology", "started_at", "duration_s", "verdict", "expected_verdict", "reasons", "faults",
    "blast_radius", "load", "audit", "alerts", "diagnosis", "clocks", "slo", "artifacts",
}  # fmt: skip


def fired(result: dict[str, Any], name: str) -> dict[str, Any]:
    return next(alert for alert in result["alerts"]["fired"] if alert["name"] == name)


def test_the_drill_ends_as_its_file_predicts(recorded_drill: Any) -> None:
    result = recorded_drill.result
    assert result["verdict"] == result["expected_verdict"] == "deviated", result["reasons"]
    assert recorded_drill.exit_code == 0
    assert set(result) >= OBJECT
    assert result["schema"] == "failwhale/drill/v1"


def test_the_fault_reached_traffic(recorded_drill: Any) -> None:
    (fault,) = recorded_drill.result["faults"]
    assert fault["components"] == [KILLED]
    assert fault["reached_traffic"] is True
    assert fault["measured"]["duration_s"] == pytest.approx(fault["declared"]["duration_s"], abs=3)


def test_the_load_may_be_believed(recorded_drill: Any) -> None:
    load = recorded_drill.result["load"]
    assert load["valid"] is True, load["invalid_reasons"]
    assert load["dropped"] == 0
    assert load["sent"] == load["planned"]


def test_no_acknowledged_post_is_lost_or_doubled(recorded_drill: Any) -> None:
    audit = recorded_drill.result["audit"]
    assert audit["complete"] is True, audit["reasons"]
    assert audit["acknowledged"] >= 300
    assert (audit["lost"], audit["duplicated"], audit["missing_from_timelines"], audit["non_unique_ids"]) == (0, 0, 0, 0)
    assert audit["timelines_checked"] > audit["acknowledged"]


def test_a_ticket_names_the_killed_component_within_six_seconds(recorded_drill: Any) -> None:
    ticket = fired(recorded_drill.result, "ComponentDown")
    assert (ticket["component"], ticket["severity"]) == (KILLED, "ticket")
    assert 0 <= ticket["after_s"] <= 6


def test_the_page_fires_and_resets_before_the_drill_ends(recorded_drill: Any) -> None:
    page = fired(recorded_drill.result, "SloBurn")
    assert (page["slo"], page["severity"]) == ("home-completeness", "page")
    assert page["after_s"] < recorded_drill.result["faults"][0]["declared"]["duration_s"]
    assert page["resolved_s"] is not None
    assert recorded_drill.result["alerts"]["missed"] == []
    assert recorded_drill.result["alerts"]["false_positives"] == []


def test_nothing_of_the_drill_is_left_in_force(recorded_drill: Any, home: Home) -> None:
    assert recorded_drill.run_dir.is_dir()
    assert undo.pending(home) == []
    assert not lease.path(home.chaos).exists()


def test_the_postmortem_of_the_drill_can_be_derived_again(recorded_drill: Any) -> None:
    assert check.findings(recorded_drill.incident_dir) == []


def test_a_number_changed_in_the_snapshot_is_found(recorded_drill: Any, tmp_path: Path) -> None:
    forged = tmp_path / recorded_drill.incident_dir.name
    shutil.copytree(recorded_drill.incident_dir, forged)
    path = forged / "snapshot" / "operations.parquet"
    table = pq.read_table(path)
    kinds = pc.if_else(pc.equal(table["type"], "ok"), "error", table["type"])
    pq.write_table(table.set_column(table.schema.get_field_index("type"), "type", pa.chunked_array(kinds)), path)
    findings = check.findings(forged)
    assert any("operations.parquet" in finding for finding in findings), findings
    assert any("requests.fault" in finding for finding in findings), findings


def test_the_sham_is_not_injected_and_quiet(recorded_sham: Any) -> None:
    result = recorded_sham.result
    assert result["verdict"] == "not-injected", result["reasons"]
    assert recorded_sham.exit_code == 0
    assert result["faults"] == []
    assert result["alerts"]["fired"] == []


def test_the_printed_object_is_the_recorded_one(recorded_drill: Any) -> None:
    assert msgspec.json.decode((recorded_drill.run_dir / "result.json").read_bytes()) == recorded_drill.result
