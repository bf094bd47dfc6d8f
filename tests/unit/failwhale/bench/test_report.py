from __future__ import annotations

import dataclasses
import re
from pathlib import Path

import pytest

from failwhale.bench import registry, report
from failwhale.bench.measure import Machine
from failwhale.bench.model import Bench, Interval, Measured, judged
from reference_app.kit.home import REPOSITORY

MACHINE = Machine("2026-01-02T03:04:05+00:00", "Example CPU", 2, 8.0, "6.1", "3.11.7", 0.1, {"redis": "8.1.0"})
BENCH = Bench("reads", "What a read costs.", "lower", "a hello", 20.0, lambda _terms: Measured(None, 0))


def kept(ratio: Interval | None) -> report.Kept:
    absolute = {"read_us": 801.234, "by_group_us": {"gateway": 250.0}, "reads": 1000, "per_s": 935431.7}
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
    assert row in report.document([BENCH], {"reads": kept(ratio)})


def test_the_page_tells_machine_date_and_every_figure() -> None:
    page = report.document([BENCH], {"reads": kept(Interval(19, 18, 19.5))})
    for text in (
        "2026-01-02T03:04:05",
        "2 cores Example CPU",
        "redis 8.1.0",
        "20 repeats",
        "| by_group_us.gateway | 250 |",
        "| reads | 1,000 |",
        "| per_s | 935,432 |",
    ):
        assert text in page


def test_a_benchmark_without_a_result_says_so() -> None:
    page = report.document([BENCH], {})
    assert "| reads | no result yet |  | ≤ 20: not judged | a hello |" in page
    assert "## reads" not in page


def test_what_has_a_page_of_its_own_is_linked_and_not_told_again() -> None:
    elsewhere = dataclasses.replace(BENCH, page="reads.md")
    assert "| [reads](reads.md) | on its page |  | ≤ 20: on its page | a hello |" in report.document([elsewhere], {})
    page = report.document([elsewhere], {"reads": kept(Interval(19, 18, 19.5))})
    assert "| [reads](reads.md) | 19 | 18 to 19.5 | ≤ 20: passed | a hello |" in page
    assert "## reads" not in page


def test_every_benchmark_of_the_registry_is_there_under_its_name() -> None:
    assert {registry.load(name).name for name in registry.MODULES} == set(registry.MODULES)


def test_the_committed_page_has_a_row_for_each_and_every_page_of_ones_own_is_there() -> None:
    document = REPOSITORY / report.DOCUMENT
    rows = re.findall(r"^\| \[?([a-z-]+)\b.* \|$", document.read_text().split("\n## ")[0], re.MULTILINE)
    assert rows == ["benchmark", *registry.MODULES]
    assert all((document.parent / registry.load(name).page).exists() for name in registry.MODULES)
