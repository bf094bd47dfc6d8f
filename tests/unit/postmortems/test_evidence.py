from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from loadgen import history
from postmortems import evidence, factors, publishing, store, tables
from postmortems.incidents import LiveIncident, Noted
from reference_app.kit.changes import Change
from reference_app.kit.home import REPOSITORY, Home
from reference_app.query import slo
from reference_app.query.prometheus import Prometheus, Series

NOW = 1795229200.0


def freeze(home: Home, run_id: str, out: Path, prometheus: evidence.Signals | None) -> evidence.Manifest:
    plan = evidence.read_plan(home.runs / run_id)
    return evidence.freeze(
        home.runs / run_id, out, prometheus=prometheus, plan=plan, experiment=None, objectives=slo.read(), changed=[], now=NOW, diagnose=factors.of,
    )  # fmt: skip


def test_a_snapshot_gives_back_the_operations_without_the_texts_that_users_wrote(
    home: Home, run_id: str, prometheus: evidence.Signals, tmp_path: Path
) -> None:
    freeze(home, run_id, tmp_path / "snapshot", prometheus)
    read = evidence.read(tmp_path / "snapshot")
    original = history.read(home.runs / run_id / history.FILE)
    assert read.operations is not None
    assert [(o.n, o.type, o.due, o.response_ms) for o in read.operations] == [(o.n, o.type, o.due, o.response_ms) for o in original]
    assert any(o.text for o in original)
    assert not any(o.text for o in read.operations)


def test_the_manifest_lists_every_file_with_hash_and_rows_and_every_query(
    home: Home, run_id: str, prometheus: evidence.Signals, tmp_path: Path
) -> None:
    manifest = freeze(home, run_id, tmp_path / "snapshot", prometheus)
    assert set(manifest.files) | {evidence.MANIFEST} == {path.name for path in (tmp_path / "snapshot").iterdir()}
    assert manifest.files[tables.ALERTS].rows == 2
    assert manifest.files[tables.SERIES].sha256 == evidence.sha256(tmp_path / "snapshot" / tables.SERIES)
    assert manifest.queries["component_up"] == "component_up"
    assert manifest.missing == ("experiment.json: there is no experiment kill-tweet-shard-no-replica-reads",)


def test_without_prometheus_the_snapshot_says_what_it_lacks(home: Home, run_id: str, tmp_path: Path) -> None:
    manifest = freeze(home, run_id, tmp_path / "snapshot", Prometheus("http://127.0.0.1:9", timeout_s=1))
    assert any(
        line.startswith("series.parquet, alerts.parquet: Prometheus at http://127.0.0.1:9 did not answer") for line in manifest.missing
    )
    read = evidence.read(tmp_path / "snapshot")
    assert read.series is None
    assert read.alerts is None


def test_what_spans_and_logs_say_is_kept_beside_the_signals_and_its_absence_is_said(
    home: Home, run_id: str, prometheus: evidence.Signals, tmp_path: Path
) -> None:
    counts = tables.Frozen("log_complaints", "logs", (Series({"component": "tweets-0", "about": "", "template": "late"}, [(NOW, 3.0)]),))

    def freeze_told(name: str, told: Callable[[float, float], tuple[tables.Frozen, ...]]) -> evidence.Manifest:
        return evidence.freeze(
            home.runs / run_id, tmp_path / name, prometheus=prometheus, plan=evidence.read_plan(home.runs / run_id), experiment=None,
            objectives=slo.read(), changed=[], now=NOW, diagnose=factors.of, told=told,
        )  # fmt: skip

    def gone(_start: float, _end: float) -> tuple[tables.Frozen, ...]:
        raise FileNotFoundError("the log is gone")

    freeze_told("with", lambda *_: (counts,))
    assert (evidence.read(tmp_path / "with").series or {})["log_complaints"] == counts.series
    assert "spans and logs: the log is gone" in freeze_told("without", gone).missing
    assert evidence.read(tmp_path / "without").series


def test_a_frozen_snapshot_is_not_frozen_again(home: Home, run_id: str, prometheus: evidence.Signals) -> None:
    first = store.draft(home, run_id, prometheus=prometheus, clock=lambda: NOW)
    before = evidence.sha256(first.snapshot_dir / evidence.MANIFEST)
    store.draft(home, run_id, prometheus=None, clock=lambda: NOW + 900)
    assert evidence.sha256(first.snapshot_dir / evidence.MANIFEST) == before


def test_a_run_that_does_not_exist_is_named(home: Home) -> None:
    with pytest.raises(evidence.NoRunError, match="no run 'nowhere'"):
        store.draft(home, "nowhere", prometheus=None)


def test_the_window_of_the_queries_is_in_whole_milliseconds_as_prometheus_answers(
    home: Home, run_id: str, prometheus: evidence.Signals, tmp_path: Path
) -> None:
    plan = replace(evidence.read_plan(home.runs / run_id), t0=1795229000.1987241)
    evidence.freeze(
        home.runs / run_id, tmp_path / "snapshot", prometheus=prometheus, plan=plan, experiment=None, objectives=(), changed=[], now=NOW, diagnose=factors.of,
    )  # fmt: skip
    assert evidence.read_manifest(tmp_path / "snapshot").window[0] == 1795228995.199


def test_nothing_that_is_frozen_names_a_path_of_this_machine(home: Home, run_id: str, prometheus: evidence.Signals, tmp_path: Path) -> None:
    """It could never be published: who takes it out changes the evidence."""
    (home.runs / run_id / "result.json").write_text(f'{{"verdict": "passed", "reasons": ["{home.path}/log says so"]}}')
    template = Series({"component": "tweets-0", "about": "", "template": f"no room in {home.path}/data"}, [(NOW - 60, 3.0)])
    deploy = Change(NOW - 60, "config", f"{home.path}/conf/tweets-0.json", "1", "2", "ada")
    noted = Noted(NOW - 50, run_id, "note", "ada", f"See {home.path} and {REPOSITORY}/scripts/quiet.sh.")

    def told(_start: float, _end: float) -> tuple[tables.Frozen, ...]:
        return (tables.Frozen("log_complaints", "logs", (template,)),)

    plan = evidence.read_plan(home.runs / run_id)
    manifest = evidence.freeze(
        home.runs / run_id, tmp_path / "frozen" / store.SNAPSHOT, prometheus=prometheus, plan=plan, experiment=None, objectives=slo.read(),
        changed=[deploy], now=NOW, diagnose=factors.of, told=told, reported=LiveIncident(run_id, NOW - 60, run_id, notes=(noted,)),
    )  # fmt: skip
    read = evidence.read(tmp_path / "frozen" / store.SNAPSHOT)
    assert read.reported is not None
    assert read.series is not None
    assert read.outcome.reasons == ("var/log says so",)
    assert read.reported.notes[0].text == "See var and ./scripts/quiet.sh."
    assert read.changes[0].subject == "var/conf/tweets-0.json"
    assert read.series["log_complaints"][0].labels["template"] == "no room in var/data"
    assert list(publishing.paths_of_the_machine(tmp_path / "frozen", home)) == []
    assert all(evidence.sha256(tmp_path / "frozen" / store.SNAPSHOT / name) == file.sha256 for name, file in manifest.files.items())


def test_what_could_not_be_frozen_is_said_without_a_path_of_this_machine(
    home: Home, run_id: str, prometheus: evidence.Signals, tmp_path: Path
) -> None:
    def refused(_start: float, _end: float) -> tuple[tables.Frozen, ...]:
        raise PermissionError(13, "Permission denied", str(home.logs / "tweets-0.log"))

    manifest = evidence.freeze(
        home.runs / run_id, tmp_path / "frozen", prometheus=prometheus, plan=evidence.read_plan(home.runs / run_id), experiment=None,
        objectives=slo.read(), changed=[], now=NOW, diagnose=factors.of, told=refused,
    )  # fmt: skip
    assert "spans and logs: [Errno 13] Permission denied: 'var/log/tweets-0.log'" in manifest.missing
