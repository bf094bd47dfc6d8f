from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from reference_app.instrumentation.request_faults import Meant
from reference_app.kit import files, slices
from reference_app.kit.slices import Slice

FIVE_PERCENT = Slice(experiment="tweets=error", control="tweets=none", share=500, salt="run-1")


def test_two_slices_of_the_wanted_size_and_everybody_else_is_left_alone() -> None:
    met = Counter(slices.fault_of(FIVE_PERCENT, str(user)) for user in range(20_000))
    assert met["tweets=error"] == pytest.approx(1000, abs=120)
    assert met["tweets=none"] == pytest.approx(1000, abs=120)
    assert met[""] == 20_000 - met["tweets=error"] - met["tweets=none"]


def test_a_user_stays_in_a_slice_and_another_run_draws_others() -> None:
    assert slices.bucket("7", "run-1") == slices.bucket("7", "run-1")
    assert [slices.bucket(str(user), "run-1") for user in range(20)] != [slices.bucket(str(user), "run-2") for user in range(20)]


def test_who_a_fault_is_meant_for_is_read_again_and_a_broken_file_changes_nothing(tmp_path: Path) -> None:
    path, moments = tmp_path / "faults.json", iter(range(10))
    meant = Meant(path, monotonic=lambda: next(moments))
    assert meant.fault_of("Bearer 7.99.mac") == ""
    files.write_json(path, Slice("tweets=error", "tweets=none", slices.BUCKETS, "s"))
    assert meant.fault_of("Bearer 7.99.mac") == "tweets=error"
    assert meant.fault_of("") == ""
    path.write_text("{")
    assert meant.fault_of("Bearer 7.99.mac") == "tweets=error"
    path.unlink()
    assert meant.fault_of("Bearer 7.99.mac") == ""
