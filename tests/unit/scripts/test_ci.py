from __future__ import annotations

import shutil
import subprocess
import time
from pathlib import Path

import pytest

from reference_app.kit import lease

REPOSITORY = Path(__file__).resolve().parents[3]


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    (tmp_path / ".ci").mkdir()
    shutil.copy(REPOSITORY / ".ci" / "run", tmp_path / ".ci")
    return tmp_path


def run(checkout: Path, recipe: str) -> subprocess.CompletedProcess[str]:
    (checkout / "Makefile").write_text(f"test:\n\t{recipe}\n")
    return subprocess.run([str(checkout / ".ci" / "run")], capture_output=True, text=True, check=False, cwd="/")


def test_ci_runs_the_test_command_of_the_readme_without_a_terminal(checkout: Path) -> None:
    result = run(checkout, '@echo "CI=$$CI"; test ! -t 0')
    assert (result.returncode, result.stdout, result.stderr) == (0, "CI=true\n", "")


def test_ci_fails_when_the_tests_fail(checkout: Path) -> None:
    assert run(checkout, "@exit 3").returncode == 2


def test_a_process_that_outlives_the_tests_is_named_ended_and_fails_ci(checkout: Path) -> None:
    result = run(checkout, "@setsid sleep 299 >/dev/null 2>&1 & echo $$! > survivor")
    assert result.returncode == 1
    assert "outlived the tests" in result.stderr
    assert "sleep 299" in result.stderr
    wait_for_end(int((checkout / "survivor").read_text()))


def wait_for_end(pid: int) -> None:
    deadline = time.monotonic() + 5
    while lease.process_started(pid) is not None:
        assert time.monotonic() < deadline, f"process {pid} lives on"
        time.sleep(0.01)
