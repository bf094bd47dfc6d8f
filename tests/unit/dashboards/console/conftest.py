from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from postmortems import store
from reference_app.kit.home import HOME_VARIABLE, Home

RECORDED = Path(__file__).parents[3] / "fixtures" / "recorded-run" / "runs"


@pytest.fixture
def empty_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    monkeypatch.setenv(HOME_VARIABLE, str(tmp_path))
    return Home(tmp_path)


@pytest.fixture
def home(empty_home: Home) -> Home:
    """A home with one recorded run and its postmortem."""
    shutil.copytree(RECORDED, empty_home.runs)
    store.draft(empty_home, next(empty_home.runs.iterdir()).name, prometheus=None)
    return empty_home


@pytest.fixture
def run_id(home: Home) -> str:
    return next(home.runs.iterdir()).name
