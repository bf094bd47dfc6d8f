from __future__ import annotations

from pathlib import Path

import pytest

from failwhale.bench import registry, report
from failwhale.bench.measure import Machine
from failwhale.bench.model import Bench, Interval, Measured, judged

MACHINE = Machine("2026-01-02T03:04:05+00:00", "Example CPU", 2, 8.0, "6.1", "3.11.7", 0.1, {"redis": "8.1.0"})
BENCH = Bench("reads", "What a read costs.", "lower", "a hello", 20.0, lambda _terms: Measured(None, 0))


def kept(ratio: Interval | None) -> report.Kept:
    absolute = {"read_us": 801.234, "by_group_us": {"gateway": 250.0}, "reads": 1000}
    return report.Kept("reads", MACHINE, judged(BENCH, Measured(ratio, 20, absolute), quick=False))


def test_what_was_kept_is_read_back(tmp_path: Path) -> None:
    report.keep(tmp_path, kept(Interval(19, 18, 19.5)))
    newest = kept(Interval(17, 16, 18))
    report.keep(tmp_path, newest)
    assert report.read(tmp_path) == {"reads": newest}


@pytest.mark.parametrize(
    ("ratio", "row"),
    [
        (Interval(19, 18, 19.5), "| [reads](#reads) | 19 | 18 to 19.5 | ≤ 20: passed | a hello |"),
        (Interval(23.4, 22, 25), "| [reads](#reads) | 23.4 | 22 to 25 | ≤ 20: missed | a hello |"),
        (None, "| [reads](#reads) | not compared |  | ≤ 20: not judged | a hello |"),
    ],
)
def test_the_page_tells_ratio_interval_and_whether_the_bar_was_passed(ratio: Interval | None, row: str) -> None:
    assert row in report.document([(BENCH, kept(ratio))])


def test_the_page_tells_machine_date_and_every_figure() -> None:
    page = report.document([(BENCH, kept(Interval(19, 18, 19.5)))])
    for text in (
        "2026-01-02T03:04:05",
        "2 cores Example CPU",
        "redis 8.1.0",
        "20 repeats",
        "| by_group_us.gateway | 250 |",
        "| reads | 1000 |",
    ):
        assert text in page


def test_every_benchmark_of_the_registry_is_there_under_its_name() -> None:
    assert {registry.load(name).name for name in registry.MODULES} == set(registry.MODULES)
