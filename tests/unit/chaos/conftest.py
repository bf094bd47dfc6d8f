"""A home without a lab, and runs in it that hold the lease."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from chaos.session import RUN_DIR_VARIABLE, Session
from reference_app.kit import lease
from reference_app.kit.home import HOME_VARIABLE, Home


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    monkeypatch.setenv(HOME_VARIABLE, str(tmp_path))
    monkeypatch.delenv(RUN_DIR_VARIABLE, raising=False)
    return Home(tmp_path)


@pytest.fixture
def run(home: Home) -> Iterator[Session]:
    """A run whose lease this process holds."""
    lease.take(home.chaos, "run-1", now=time.time())
    yield Session(home, "run-1")
    lease.release(home.chaos)


@pytest.fixture
def clock() -> Callable[[], float]:
    """Each look is a second later."""
    seconds = iter(range(1_000, 100_000))
    return lambda: float(next(seconds))
