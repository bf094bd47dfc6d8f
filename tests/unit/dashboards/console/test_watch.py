"""The observer of a lab: shared, patient with a Prometheus that is silent, and never in the way of a page."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace

import pytest

from chaos import events, halt
from dashboards.console import data
from dashboards.console.lab import watch
from dashboards.console.lab.watch import Watch
from reference_app.contract.topology import Lab
from reference_app.kit import files
from reference_app.kit.home import Home
from tests.unit.dashboards.console.canned import Canned

NOW = 1_795_229_100.0


@dataclass
class Clock:
    now: float = NOW

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def silent(lab: Lab, empty_home: Home) -> Iterator[None]:
    """A Prometheus that takes connections and never answers."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        port = listening.getsockname()[1]
        parts = tuple(replace(c, port=port) if c.kind == "prometheus" else c for c in lab.components)
        files.write_json(empty_home.lab_file, replace(lab, components=parts))
        yield


def test_several_that_ask_at_once_share_one_look(prometheus: Canned, empty_home: Home) -> None:
    clock = Clock()
    observer = Watch(empty_home, clock=clock)
    assert observer.look() is observer.look()
    asked = len(prometheus.asked)
    clock.now += 2
    assert observer.look().at == NOW + 2
    assert len(prometheus.asked) == 2 * asked == 12


@pytest.mark.usefixtures("prometheus")
def test_after_something_was_done_to_the_lab_the_next_look_is_a_new_one(empty_home: Home) -> None:
    observer = Watch(empty_home, clock=Clock())
    before = observer.look()
    halt.pull(empty_home.chaos, "for a test", now=NOW)
    assert observer.look() is before
    observer.forget()
    assert observer.look().halted == "for a test"


@pytest.mark.usefixtures("silent")
def test_a_page_does_not_wait_for_a_silent_prometheus_once_it_was_looked_at(empty_home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch, "PATIENCE_S", 1.2)
    clock = Clock()
    observer = Watch(empty_home, clock=clock)
    first = observer.look()
    assert first.trouble is not None
    clock.now += 2
    began = time.monotonic()
    assert observer.look() is first
    assert time.monotonic() - began < watch.PATIENCE_S - 0.3


@pytest.mark.usefixtures("prometheus")
def test_a_lab_that_was_laid_out_anew_has_no_past(lab: Lab, empty_home: Home) -> None:
    clock = Clock()
    observer = Watch(empty_home, clock=clock)
    assert observer.look().signals is not None
    files.write_json(empty_home.lab_file, replace(lab, signing_key="another"))
    clock.now += 2
    assert observer.look().signals is None


@pytest.mark.usefixtures("prometheus")
def test_bands_are_faults_of_the_last_five_minutes(empty_home: Home) -> None:
    for name, injected, undone in (("20261121T010000Z-old", NOW - 900, NOW - 800), ("20261121T020000Z-new", NOW - 200, NOW - 160)):
        for event, at in (("injected", injected), ("undone", undone)):
            events.write(empty_home.runs / name, event, clock=lambda at=at: at, fault="kill_and_hold", components=("graph-0",))  # type: ignore[arg-type, misc]
    (band,) = Watch(empty_home, clock=Clock()).look().bands
    assert (band.start, band.end, band.components) == (NOW - 200, NOW - 160, ("graph-0",))


@pytest.mark.usefixtures("prometheus")
def test_a_run_that_died_in_its_fault_and_left_nothing_pending_has_a_band_that_ended(empty_home: Home) -> None:
    run_dir = empty_home.runs / "20261121T020000Z-died"
    events.write(run_dir, "injected", clock=lambda: NOW - 100, fault="kill_and_hold", components=("graph-0",))
    events.write(run_dir, "reaped", clock=lambda: NOW - 60)
    (band,) = Watch(empty_home, clock=Clock()).look().bands
    assert band.end == NOW - 60


def test_what_is_no_run_of_this_version_has_no_bands_and_stops_nobody(empty_home: Home) -> None:
    (empty_home.runs / "20261121T101010Z-x" / "chaos").mkdir(parents=True)
    (empty_home.runs / "20261121T101010Z-x" / "chaos" / "events.ndjson").write_text('{"at":1.0,"event":"of-another-version"}\n')
    (empty_home.runs / "notes.txt").write_text("not a run")
    assert list(watch._bands(empty_home, since=0.0, pending=set())) == []
    assert data.compared(empty_home) == []
    assert [listed.run_id for listed in data.runs(empty_home)] == ["20261121T101010Z-x"]
