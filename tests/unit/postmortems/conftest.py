from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

import msgspec
import pytest

from postmortems import check, store, whitelist
from postmortems.model import Draft
from postmortems.workflow import Desk
from reference_app.kit.home import Home
from reference_app.query import slo
from reference_app.query.prometheus import AlertSpan, Series

RECORDED = Path(__file__).parents[2] / "fixtures" / "recorded-run"
NOW, LATER = 1795229200.0, 1795229300.0
"""When a postmortem is drafted, and when somebody works on it."""


@dataclass(frozen=True)
class Recorded:
    """Answers of a Prometheus, as they were recorded beside the run."""

    series: dict[str, list[Series]]
    spans: list[AlertSpan]
    names: dict[str, str]

    def range(self, query: str, start: float, end: float, step: float = 1) -> list[Series]:
        assert step == 1
        recorded = self.series.get(self.names[query], [])
        return [Series(series.labels, [point for point in series.points if start <= point[0] <= end]) for series in recorded]

    def alert_spans(self, start: float, end: float) -> list[AlertSpan]:
        return [span for span in self.spans if start <= span.fired_at <= end]


class _File(msgspec.Struct):
    series: dict[str, list[Series]]
    alert_spans: list[AlertSpan]


@pytest.fixture(scope="session")
def prometheus() -> Recorded:
    file = msgspec.json.decode((RECORDED / "prometheus.json").read_bytes(), type=_File)
    names = {query: name for name, query in whitelist.queries(slo.read()).items()}
    return Recorded(file.series, file.alert_spans, names)


@pytest.fixture(scope="session")
def recorded_home(tmp_path_factory: pytest.TempPathFactory, prometheus: Recorded) -> Home:
    """A home with the recorded run and its draft; read only, tests get copies."""
    home = Home(tmp_path_factory.mktemp("recorded"))
    shutil.copytree(RECORDED / "runs", home.runs)
    store.draft(home, next(home.runs.iterdir()).name, prometheus=prometheus, clock=lambda: NOW)
    return home


@pytest.fixture
def home(tmp_path: Path, recorded_home: Home) -> Home:
    shutil.copytree(recorded_home.runs, tmp_path / "runs")
    return Home(tmp_path)


@pytest.fixture
def run_id(home: Home) -> str:
    return next(home.runs.iterdir()).name


@pytest.fixture
def drafted(home: Home, run_id: str, recorded_home: Home) -> Draft:
    shutil.copytree(recorded_home.incidents, home.incidents)
    incident_dir = home.incidents / run_id
    return Draft(incident_dir, incident_dir / store.POSTMORTEM, incident_dir / store.SNAPSHOT)


@pytest.fixture
def desk(home: Home, drafted: Draft, run_id: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    """The whole check has tests of its own and takes half a second: here it says what a test wants it to say."""
    monkeypatch.setattr(check, "findings", lambda _directory: [])
    assert drafted.incident_dir == home.incidents / run_id
    return Desk(home, run_id, "ada", lambda: LATER, tmp_path / "archive")
