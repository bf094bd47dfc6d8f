"""The twin of a drill among the runs of a home."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import msgspec
import pytest

from failwhale import twins
from reference_app.kit import files
from reference_app.kit.home import REPOSITORY, Home

RECORDED = REPOSITORY / "tests/fixtures/recorded-run/runs"
DRILL = "kill-tweet-shard-no-replica-reads"


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """A drill on record."""
    shutil.copytree(RECORDED, tmp_path / "runs")
    return Home(tmp_path)


def add_run(home: Home, stamp: str, **changed: Any) -> str:
    """A run as the one on record, but for some fields."""
    run_id = f"{stamp}-{DRILL}"
    result = msgspec.json.decode((RECORDED / f"20261121T024500Z-{DRILL}" / twins.FILE).read_bytes())
    files.write_json(home.runs / run_id / twins.FILE, result | {"run_id": run_id} | changed)
    return run_id


def test_the_twin_is_the_newest_sham_of_the_same_conditions(home: Home) -> None:
    drill = twins.find(home, "latest")
    assert twins.of(home, drill) is None
    assert twins.remarks(home, drill) == ()
    add_run(home, "20261121T010000Z", sham=True)
    newest = add_run(home, "20261121T020000Z", sham=True)
    add_run(home, "20261121T030000Z", sham=True, seed=99)
    add_run(home, "20261121T040000Z", sham=True, load={"valid": 1})
    found = twins.of(home, drill)
    assert found is not None
    assert found.run_id == newest
    assert [newest in remark for remark in twins.remarks(home, drill)] == [True, True]
    assert twins.remarks(home, found) == ()


def test_a_run_without_a_result_is_answered_with_the_last_ones(home: Home) -> None:
    with pytest.raises(twins.NoResultError, match=DRILL):
        twins.find(home, "lunch")
    with pytest.raises(twins.NoResultError, match="left by another version"):
        twins.find(home, add_run(home, "20261121T040000Z", seed="one"))
