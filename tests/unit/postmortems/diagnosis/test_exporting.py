"""A recorded run as a case of a data set: what goes in comes out again, and only the sealed file knows the answer."""

from __future__ import annotations

import csv
import hashlib
import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from failwhale.cli import build
from postmortems import evidence, store, whitelist
from postmortems.diagnosis import exporting, files, judging, ranking, recorded, voices
from postmortems.diagnosis.model import Case
from postmortems.diagnosis.moments import Moments
from postmortems.evidence import Snapshot
from reference_app.kit.home import HOME_VARIABLE, Home
from reference_app.query.prometheus import Series
from tests.unit.postmortems.conftest import NOW, RECORDED, Recorded

HIT = "tweets-db-0-primary"
RUN_ID = "20261121T024500Z-kill-tweet-shard-no-replica-reads"
T0 = 1795229100.0


@pytest.fixture(scope="module")
def slow(prometheus: Recorded) -> Recorded:
    """The recorded answers, and calls of which those to the shard that was killed become slow."""
    began, told = T0 - 5, prometheus.spans[-1].fired_at
    rng = np.random.default_rng(5)

    def calls(peer: str, *, fails: bool) -> Series:
        moments = began + np.arange(200.0)
        level = np.where((moments > told - 4) & fails, 0.5, 0.004)
        return Series({"component": "tweets-0", "peer": peer}, list(zip(moments, level * (1 + 0.1 * rng.random(200)), strict=True)))

    called = [calls(HIT, fails=True), calls("tweets-db-1-primary", fails=False), calls("tweet-cache-0", fails=False)]
    return Recorded(prometheus.series | {whitelist.CALLS_SECONDS: called}, prometheus.spans, prometheus.names)


@pytest.fixture(scope="module")
def drilled(slow: Recorded, tmp_path_factory: pytest.TempPathFactory) -> Home:
    """A home with the recorded run and its snapshot; read only."""
    home = Home(tmp_path_factory.mktemp("drilled"))
    shutil.copytree(RECORDED / "runs", home.runs)
    store.draft(home, RUN_ID, prometheus=slow, clock=lambda: NOW)
    home.logs.mkdir()
    stamp = np.datetime64(round((T0 + 1) * 1000), "ms")
    for component in ("tweets-0", "reaper"):
        line = {
            "timestamp": f"{stamp}+00:00",
            "severity": "INFO",
            "component": component,
            "message": "kill_and_hold" if component == "reaper" else "slow",
        }
        (home.logs / f"{component}.log").write_text(json.dumps(line) + "\n")
    return home


def snapshot(home: Home) -> Snapshot:
    return evidence.read(next(home.incidents.iterdir()) / store.SNAPSHOT)


def test_an_exported_case_is_diagnosed_as_the_run_is(drilled: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(HOME_VARIABLE, str(drilled.path))
    exported = exporting.export([drilled], tmp_path / "out")
    (name,) = exported.cases
    where = tmp_path / "out" / name
    from_files = ["--normal", where / exporting.NORMAL, "--anomalous", where / exporting.ANOMALOUS, "--graph", where / exporting.CALLS]
    from_files += ["--alerts", where / exporting.ALERTS]

    def diagnosed(*arguments: object) -> object:
        return json.loads(CliRunner().invoke(build(["diagnose"]), ["diagnose", *map(str, arguments), "--json"]).stdout)

    told = diagnosed(RUN_ID)
    assert told == diagnosed(*from_files)
    assert told["ranked"][0]["component"] == HIT  # type: ignore[index]


def test_spans_say_from_a_file_what_they_say_of_the_run(slow: Recorded, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the spans of the case beside all its columns, and in the place of those columns that came from spans."""
    home, told = Home(tmp_path / "home"), slow.spans[-1].fired_at
    shutil.copytree(RECORDED / "runs", home.runs)
    home.traces.mkdir()
    calls = [call(second, fails=second > told - 4) for second in T0 + 1 + np.arange(100.0)]
    pq.write_table(pa.Table.from_pylist(calls), home.traces / "1-1.parquet")
    store.draft(home, RUN_ID, prometheus=slow, clock=lambda: NOW)
    monkeypatch.setenv(HOME_VARIABLE, str(home.path))
    (name,) = exporting.export([home], tmp_path / "out").cases
    where = tmp_path / "out" / name
    beside = ["--graph", where / exporting.CALLS, "--alerts", where / exporting.ALERTS, "--spans", where / exporting.SPANS]

    def diagnosed(*arguments: object) -> object:
        return json.loads(CliRunner().invoke(build(["diagnose"]), ["diagnose", *map(str, arguments), "--json"]).stdout)

    periods = {"--normal": where / exporting.NORMAL, "--anomalous": where / exporting.ANOMALOUS}
    of_run, of_files = diagnosed(RUN_ID), diagnosed(*(word for option in periods.items() for word in option), *beside)
    without = {option: without_spans(path, tmp_path / path.name) for option, path in periods.items()}
    assert of_run == of_files == diagnosed(*(word for option in without.items() for word in option), *beside)
    assert voices.BEGAN in json.dumps(of_run)


def call(at: float, *, fails: bool) -> dict[str, object]:
    """A span of a call to the shard, at a second; it is slow and fails, or neither."""
    start_ns, status = round(at * 1e9), "ERROR" if fails else "UNSET"
    attributes = json.dumps({"server.address": HIT} | ({"failwhale.edge_case": "slow"} if fails else {}))
    return {
        "trace_id": f"{start_ns}", "span_id": f"{start_ns}", "parent_span_id": "", "name": "SELECT", "kind": "CLIENT", "service": "tweets", "component": "tweets-0",
        "start_ns": start_ns, "end_ns": start_ns + 5_000_000, "status": status, "status_message": "", "attributes": attributes,
    }  # fmt: skip


def without_spans(path: Path, to: Path) -> Path:
    """The same period without the columns that spans tell."""
    rows = list(csv.reader(path.read_text().splitlines()))
    kept = [at for at, name in enumerate(rows[0]) if not name.endswith((voices.BEGAN, voices.SPENT))]
    assert len(kept) < len(rows[0])
    with to.open("w", newline="") as file:
        csv.writer(file).writerows([[row[at] for at in kept] for row in rows])
    return to


def test_the_truth_is_in_its_own_file_and_nowhere_else(drilled: Home, tmp_path: Path) -> None:
    exported = exporting.export([drilled], tmp_path / "out")
    truth = json.loads((tmp_path / "out" / exporting.TRUTH).read_text())["cases"][exported.cases[0]]
    assert [fault["components"] for fault in truth["faults"]] == [[HIT]]
    assert truth["drill"] == "kill-tweet-shard-no-replica-reads"
    told = [path for path in (tmp_path / "out" / exported.cases[0]).iterdir() if path.suffix != ".parquet"]
    assert not [path.name for path in told if b"kill" in path.read_bytes()]


def test_neither_a_name_nor_the_end_of_an_alert_tells_which_drill_it_was(drilled: Home, tmp_path: Path) -> None:
    """A hash of the run can be guessed from its time, and an alert ends when the fault does."""
    names = [exporting.export([drilled], tmp_path / out).cases for out in ("one", "two")]
    assert names[0] != names[1]
    where = tmp_path / "one" / names[0][0]
    until = json.loads((where / exporting.CASE).read_text())["anomalous"][1]
    alerts = list(csv.DictReader((where / exporting.ALERTS).read_text().splitlines()))
    assert alerts
    assert all(float(alert["resolved_at"] or 0) <= until for alert in alerts)


def test_a_changed_file_no_longer_has_the_hash_that_was_sealed(drilled: Home, tmp_path: Path) -> None:
    exporting.export([drilled], tmp_path / "out")
    sealed = dict(reversed(line.split("  ")) for line in (tmp_path / "out" / exporting.SUMS).read_text().splitlines())
    assert set(sealed) == {str(path.relative_to(tmp_path / "out")) for path in (tmp_path / "out").rglob("*") if path.is_file()} - {
        exporting.SUMS
    }
    truth = tmp_path / "out" / exporting.TRUTH
    assert hashlib.sha256(truth.read_bytes()).hexdigest() == sealed[exporting.TRUTH]


def test_what_is_no_longer_kept_is_named(drilled: Home, tmp_path: Path) -> None:
    (name,) = exporting.export([drilled], tmp_path / "out").cases
    assert json.loads((tmp_path / "out" / name / exporting.CASE).read_text())["missing"] == [
        "spans.parquet: no span of these minutes is kept any more"
    ]


def test_a_segment_that_a_crash_left_in_part_hides_no_other(tmp_path: Path) -> None:
    home = Home(tmp_path)
    home.traces.mkdir()
    (home.traces / "0-9.parquet").write_bytes(b"PAR1 and a part")
    pq.write_table(pa.table({"span_id": ["a"], "start_ns": [2_000_000_000]}), home.traces / "1-1.parquet")
    assert list(exporting._write_spans(home, tmp_path / exporting.SPANS, 1, 3)) == []
    assert pq.read_table(tmp_path / exporting.SPANS).num_rows == 1


def test_a_log_whose_first_lines_are_gone_is_named(drilled: Home, tmp_path: Path) -> None:
    rotated = drilled.logs / "tweets-0.log.1"
    rotated.touch()
    try:
        (name,) = exporting.export([drilled], tmp_path / "out").cases
    finally:
        rotated.unlink()
    assert (
        "logs.ndjson: the first lines of tweets-0 are not kept any more"
        in json.loads((tmp_path / "out" / name / exporting.CASE).read_text())["missing"]
    )


def test_a_directory_that_is_there_is_not_written_to(drilled: Home, tmp_path: Path) -> None:
    with pytest.raises(FileExistsError):
        exporting.export([drilled], tmp_path)


def exported(monkeypatch: pytest.MonkeyPatch, home: Home, out: Path) -> tuple[int, str]:
    monkeypatch.setenv(HOME_VARIABLE, str(home.path))
    done = CliRunner().invoke(build(["export-cases"]), ["export-cases", str(out)])
    return done.exit_code, done.output


def test_nothing_is_left_behind_where_there_is_no_case(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    code, said = exported(monkeypatch, Home(tmp_path / "empty"), tmp_path / "out")
    assert (code, "0 cases, so nothing was written" in said, (tmp_path / "out").exists()) == (1, True, False)


def test_nothing_is_left_behind_by_an_export_that_failed(drilled: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(exporting, "_write_alerts", full)
    code, said = exported(monkeypatch, drilled, tmp_path / "out")
    assert (code, "No space left" in said, (tmp_path / "out").exists()) == (2, True, False)


def test_the_remedy_is_named_where_the_directory_is_there(drilled: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "out").mkdir()
    code, said = exported(monkeypatch, drilled, tmp_path / "out")
    assert (code, "name a directory that is not, or delete this one" in said, (tmp_path / "out").exists()) == (2, True, True)


def test_what_nobody_knows_the_cause_of_is_no_case_in_which_nothing_was_broken(
    drilled: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = snapshot(drilled)
    monkeypatch.setattr(evidence, "read", lambda _: replace(found, events=()))
    told = exporting.export([drilled], tmp_path / "out")
    assert told.cases == ()
    assert [line.partition(": ")[2] for line in told.left_out] == ["nobody knows what was broken"]


def test_a_case_written_to_files_is_the_same_when_read(drilled: Home, tmp_path: Path) -> None:
    made = recorded.of_snapshot(snapshot(drilled))
    paths = {name: tmp_path / f"{name}.csv" for name in ("normal", "anomalous", "graph")}
    moments = Moments(*(np.arange(float(len(values))) for values in (made.series[0].normal, made.series[0].anomalous)))
    files.write(made, moments, **paths)
    again = files.case(paths["normal"], paths["anomalous"], graph=paths["graph"])
    assert again.calls == made.calls
    assert [files.column(series) for series in again.series] == [files.column(series) for series in made.series]
    for one, other in zip(again.series, made.series, strict=True):
        np.testing.assert_array_equal(one.normal, other.normal)
    assert next(csv.reader(paths["graph"].read_text().splitlines())) == ["caller", "callee"]


def test_a_result_says_who_was_hit_and_at_which_place(drilled: Home) -> None:
    diagnosed = judging.of_snapshot(snapshot(drilled))
    assert diagnosed is not None
    assert (diagnosed.truth, diagnosed.truth_rank, diagnosed.no_cause) == ((HIT,), 1, False)


def test_who_was_hit_and_is_not_ranked_has_no_place() -> None:
    assert judging.of_case(Case(()), {"events-0"}).truth_rank is None


def test_when_nobody_was_told_there_is_no_diagnosis(drilled: Home) -> None:
    assert judging.of_snapshot(replace(snapshot(drilled), alerts=())) is None


def test_a_sham_is_asked_about_at_the_moment_of_its_step(drilled: Home) -> None:
    """The recorded drill, as if nothing had been broken when it was asked about."""
    found = snapshot(drilled)
    assert ranking.rank(recorded.of_sham(replace(found, plan=replace(found.plan, sham=True, inject_at=-4)))).no_cause
    assert not ranking.rank(recorded.of_sham(found)).no_cause
