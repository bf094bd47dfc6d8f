"""How a stair is judged, and what is kept of a knee."""

from __future__ import annotations

import dataclasses
import math
from pathlib import Path
from typing import Any

import pytest

from failwhale import knee
from failwhale.bench import measure
from loadgen.latency import Latency
from loadgen.model import presets
from loadgen.report import Count, Load, PhaseReport
from reference_app.contract import topology
from reference_app.kit import files
from reference_app.kit.home import Home
from reference_app.query import slo

MACHINE = measure.Machine("2026-11-21T09:00:00+00:00", "a processor", 2, 24.0, "6.1", "3.11", 0.1, {})


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    monkeypatch.setattr(measure, "machine", lambda: MACHINE)
    lab = topology.Lab(str(tmp_path), "small", 1, topology.components(topology.SMALL, 1), "key", "password")
    files.write_json(tmp_path / "lab.json", lab)
    return Home(tmp_path)


def kept(**changed: Any) -> knee.Kept:
    one = knee.Kept(knee.SCHEMA, MACHINE.at, "a processor", 2, "small", "plateau", 1.25, 204.0, "objectives", ("slow",), ())
    return dataclasses.replace(one, **changed)


def load(*, valid: bool = True, **changed: Any) -> Load:
    home, post = Count(950, 950, latency_ms=Latency(20, 90, 200)), Count(20, 20, latency_ms=Latency(30, 120, 300))
    seen = PhaseReport(2, 10, recorded=True, requests=Count(1000, 1000), home=home, user_timeline=Count(30, 30), post=post,
                       pages_complete=950, pages_partial=0, posts_refused=0, posts_indeterminate=0)  # fmt: skip
    reasons = [] if valid else ["requests left late"]
    return Load(
        "plateau", valid, reasons, 1000, 1000, 0, 0, 0, 1.0, 0.2, 1000, 0, 20, Latency(), {"before": dataclasses.replace(seen, **changed)}
    )


def test_a_stair_on_which_nothing_is_missed_meets_the_objectives() -> None:
    assert knee.judged(load(), 1.0) == ("meets", ())
    assert knee.judged(load(requests=Count(1000, 999, 1)), 0.99) == ("meets", ())


@pytest.mark.parametrize(
    ("changed", "delivered", "told"),
    [
        ({"home": Count(950, 950, latency_ms=Latency(90, 501, 900))}, 1.0, "home p99 501 ms, allowed 500"),
        ({"post": Count(20, 20, latency_ms=Latency(90, 733, 900))}, 1.0, "post p99 733 ms, allowed 500"),
        ({"requests": Count(1000, 998, 2)}, 1.0, "2 of 1000 requests failed"),
        ({"pages_complete": 940, "pages_partial": 10}, 1.0, "10 of 950 pages were partial"),
        ({}, 0.97, "97.0% of the tweets were delivered in time"),
    ],
)
def test_a_stair_names_the_objective_that_was_missed(changed: dict[str, Any], delivered: float, told: str) -> None:
    assert knee.judged(load(**changed), delivered) == ("misses", (told,))


def test_a_measurement_that_may_not_be_believed_says_nothing_of_the_service() -> None:
    assert knee.judged(load(valid=False, pages_partial=900), 0.0) == ("invalid", ("requests left late",))


def test_staleness_that_nobody_measured_proves_nothing() -> None:
    outcome, (reason,) = knee.judged(load(), None)
    assert (outcome, reason.partition(",")[0]) == ("invalid", "Prometheus does not answer")


@pytest.mark.parametrize(("good", "share"), [(20, 1.0), (19, 0.95), (0, 0.0)])
def test_tweets_of_celebrities_are_not_late_because_nobody_pushes_them(
    home: Home, monkeypatch: pytest.MonkeyPatch, good: float, share: float
) -> None:
    class Asked:
        def increase(self, selector: str, _start: float, _end: float) -> float:
            return 4 if "celebrity" in selector else good

    monkeypatch.setattr(knee, "Prometheus", lambda _: Asked())
    monkeypatch.setattr(knee, "SCRAPED_S", 0)
    assert knee._delivered(home, 0.0, 24) == share
    assert knee._delivered(home, 0.0, 4) == 1.0, "all of them were celebrities'"


@pytest.mark.parametrize("other", [{"cpu": "another"}, {"cores": 8}, {"topology": "standard"}])
def test_a_knee_of_another_machine_or_topology_is_not_known(home: Home, other: dict[str, Any]) -> None:
    assert knee.known(home, "small") is None
    files.write_json(home.path / knee.FILE, kept())
    assert knee.known(home, "small") == kept()
    files.write_json(home.path / knee.FILE, kept(**other))
    assert knee.known(home, "small") is None


def test_a_file_that_a_crash_left_empty_is_no_knee(home: Home) -> None:
    (home.path / knee.FILE).write_bytes(b"")
    assert knee.known(home, "small") is None


def test_a_share_of_the_knee_is_of_its_requests_a_second_whatever_the_preset(home: Home) -> None:
    files.write_json(home.path / knee.FILE, kept())
    for preset in (presets.PLATEAU, presets.GOAL):
        scaled = preset.scaled(knee.share_of(home, preset, 0.6))
        assert scaled.reads.peak + scaled.posts.peak == pytest.approx(0.6 * 204, rel=1e-3)


def test_a_drill_is_kept_within_its_part_of_a_knee_that_is_known(home: Home) -> None:
    assert knee.cap(home, "small", presets.GOAL) is None
    files.write_json(home.path / knee.FILE, kept(requests_per_s=88.0))
    assert knee.cap(home, "small", presets.GOAL) == 0.3
    assert knee.cap(home, "standard", presets.GOAL) is None, "that knee is of another topology"
    files.write_json(home.path / knee.FILE, kept(requests_per_s=600.0))
    assert knee.cap(home, "small", presets.GOAL) is None, "a lab is given less than that"


def test_without_a_knee_there_is_no_share_of_it(home: Home) -> None:
    with pytest.raises(knee.UnknownKneeError, match="failwhale load knee"):
        knee.share_of(home, presets.PLATEAU, 0.6)
    files.write_json(home.path / knee.FILE, kept(share=None, requests_per_s=None))
    with pytest.raises(knee.UnknownKneeError):
        knee.share_of(home, presets.PLATEAU, 0.6)
    for part in (0, math.nan, math.inf):
        with pytest.raises(ValueError, match="above zero"):
            knee.share_of(home, presets.PLATEAU, part)


def test_a_knee_is_judged_by_the_objectives_of_the_contract() -> None:
    wanted = {one.name: one for one in slo.read()}
    assert {wanted[name].error_budget for name in ("home-read-availability", "post-availability")} == {knee.ERRORS_MAX}
    assert wanted["home-completeness"].objective == knee.COMPLETE_MIN
    assert wanted["delivery-latency"].objective == knee.DELIVERED_MIN
    for name in ("home-latency", "post-latency"):
        assert f',le="{knee.LATENCY_MS / 1000:g}"' in wanted[name].good_selector
        assert wanted[name].objective == 0.99, "a stair's p99 is judged"
