"""What settling waits for beside what it reads: a history that the alerts of objectives can look back on. Prometheus and its clock are pretended."""

from __future__ import annotations

from pathlib import Path

import pytest

from chaos.probes import pages
from chaos.settled import Readings
from failwhale import settling
from reference_app.contract.topology import SMALL, Lab, components
from reference_app.kit import files
from reference_app.kit.home import Home


class PretendedTime:
    """Of the lab and of who waits for it. What objectives count is recorded from `counted_from` on."""

    def __init__(self) -> None:
        self.now, self.counted_from, self.read = 1000.0, float("inf"), 0

    def time(self) -> float:
        return self.now

    monotonic = time

    def sleep(self, seconds: float) -> None:
        self.now += seconds

    def instant(self, query: str, at: float) -> list[str]:
        assert query == "count_over_time(slo:total:increase1m[5s])"
        return ["sample"] if at >= self.counted_from else []

    def complete_page_share(self, _pages: int) -> float:
        self.read += 1
        self.counted_from = min(self.counted_from, self.now + 2)
        return 1.0


@pytest.fixture
def pretended(monkeypatch: pytest.MonkeyPatch) -> PretendedTime:
    time = PretendedTime()
    monkeypatch.setattr(settling, "time", time)
    monkeypatch.setattr(settling, "Prometheus", lambda _url: time)
    monkeypatch.setattr(settling, "_readings", lambda *_: Readings())
    monkeypatch.setattr(settling, "_hit_rates", lambda *_: {"tweet": 0.9})
    monkeypatch.setattr(pages, "complete_page_share", time.complete_page_share)
    return time


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = Home(tmp_path)
    files.write_json(home.lab_file, Lab(str(tmp_path), "small", 29_900, components(SMALL, 29_900), "key", "password"))
    return home


@pytest.mark.parametrize(("counted_for", "waited"), [(600, 0), (30, 0), (10, 20), (1, 29)])
def test_alerts_of_objectives_get_a_history_before_a_drill(home: Home, pretended: PretendedTime, counted_for: float, waited: float) -> None:
    pretended.counted_from = pretended.now - counted_for
    said: list[str] = []
    settled = settling.settle(home, before={}, limit_s=90, say=said.append)
    assert (settled.unmet, settled.hit_rates, pretended.read) == ((), {"tweet": 0.9}, 2)
    assert waited <= settled.waited_s < waited + 4  # the pages are read twice
    assert said == (["waiting: the alerts of objectives have no history yet"] if waited else [])


def test_a_lab_of_which_nobody_asked_anything_is_asked_until_it_counts_and_then_left_alone(home: Home, pretended: PretendedTime) -> None:
    settled = settling.settle(home, before={}, limit_s=90, say=lambda _line: None)
    assert settled.unmet == ()
    assert 32 <= settled.waited_s < 37
    assert pretended.read == 2 + 2


def test_a_lab_that_gets_no_history_in_time_did_not_settle(home: Home, pretended: PretendedTime) -> None:
    assert settling.settle(home, before={}, limit_s=20, say=lambda _line: None).unmet == (settling.NO_HISTORY,)
    assert pretended.now >= 1020
