from __future__ import annotations

from pathlib import Path

from chaos import host

MEMORY = "some avg10=45.05 avg60=36.45 avg300=25.59 total=11150456779\nfull avg10=7.25 avg60=0.00 avg300=0.00 total=12\n"
IO = "some avg10=80.00 avg60=1.27 avg300=1.73 total=918134617\nfull avg10=61.50 avg60=0.06 avg300=0.52 total=190428753\n"


def test_the_worst_resource_counts_and_only_the_time_in_which_all_waited(tmp_path: Path) -> None:
    (tmp_path / "pressure").mkdir()
    (tmp_path / "pressure" / "memory").write_text(MEMORY)
    assert host.stalled_percent(tmp_path) == 7.25
    (tmp_path / "pressure" / "io").write_text(IO)
    assert host.stalled_percent(tmp_path) == 61.5


def test_a_kernel_without_these_files_is_not_judged(tmp_path: Path) -> None:
    assert host.stalled_percent(tmp_path) is None
    assert host.free_memory_mib(tmp_path) is None


def test_this_machine_tells(tmp_path: Path) -> None:
    assert (host.free_memory_mib() or 0) > 1
    assert host.free_disk_mib(tmp_path) > 1
