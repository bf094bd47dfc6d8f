"""One drill as a process: what it is asked, what is kept of its answer, and that it undoes when whoever asked is gone."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from chaos.gameday import Task
from failwhale import drilling
from failwhale.drilling import Drilling
from reference_app.kit import lease
from reference_app.kit.home import Home
from tests.waiting import await_true

PASSED = {"verdict": "passed", "reasons": ["It held."]}
HANGS = {"hangs": True}


def task(*, sham: bool = False, seconds: float = 10) -> Task:
    return Task(3, "kill-gateway", sham, "standard", "passed", seconds, {"fault": 30.0})


def wanted(tmp_path: Path, of: Task) -> Drilling:
    return Drilling(of, 7, tmp_path / "03-1-kill-gateway")


def test_a_drill_is_asked_for_with_its_seed_its_lab_and_its_lengths(tmp_path: Path, standin: Any) -> None:
    standin.answers(PASSED, PASSED)
    for sham in (False, True):
        result = drilling.drill(Home(tmp_path), wanted(tmp_path, task(sham=sham)))
        assert (result.verdict, result.reasons) == ("passed", ("It held.",))
    assert standin.asked == [
        "drill kill-gateway --json --seed 7 --topology standard --phase fault=30",
        "drill kill-gateway --json --seed 7 --topology standard --sham --phase fault=30",
    ]


def test_a_drill_that_was_refused_is_an_error_with_its_last_words(tmp_path: Path, standin: Any) -> None:
    standin.answers({"says": "failwhale: alerts are firing before the drill began"})
    result = drilling.drill(Home(tmp_path), wanted(tmp_path, task()))
    assert (result.verdict, result.reasons) == ("error", ("failwhale: alerts are firing before the drill began",))


def test_a_drill_that_does_not_end_is_interrupted_and_an_error(tmp_path: Path, standin: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    standin.answers(HANGS)
    monkeypatch.setattr(drilling, "SLACK_S", 0.0)
    result = drilling.drill(Home(tmp_path), wanted(tmp_path, task(seconds=1)))
    assert result.verdict == "error"
    assert result.reasons[0] == "It did not end within 1 s and was interrupted."
    assert standin.did("undone")


def test_a_drill_undoes_when_the_game_day_is_killed(tmp_path: Path, standin: Any) -> None:
    standin.answers(HANGS)
    code = (
        f"from pathlib import Path\nfrom chaos.gameday import Task\nfrom failwhale import drilling\nfrom reference_app.kit.home import Home\n"
        f"drilling.REPOSITORY = Path({str(standin.directory.parent)!r})\n"
        f"task = Task(3, 'kill-gateway', False, 'standard', 'passed', 10.0)\n"
        f"drilling.drill(Home(Path({str(tmp_path)!r})), drilling.Drilling(task, 7, Path({str(tmp_path)!r}) / 'out'))"
    )
    with subprocess.Popen([sys.executable, "-c", code]) as day:
        await_true(lambda: standin.did("hangs"))
        day.send_signal(signal.SIGKILL)
    await_true(lambda: standin.did("undone"))
    pid = int((standin.directory / "pid").read_text())
    await_true(lambda: lease.process_started(pid) is None)


def test_an_interrupt_is_passed_on_when_the_drill_has_undone(tmp_path: Path, standin: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    standin.answers(HANGS)
    wait = subprocess.Popen.wait

    def interrupted_first(process: subprocess.Popen[bytes], timeout: float | None = None) -> int:
        if not standin.did("hangs"):
            await_true(lambda: standin.did("hangs"))
            raise KeyboardInterrupt
        return wait(process, timeout)

    monkeypatch.setattr(subprocess.Popen, "wait", interrupted_first)
    with pytest.raises(KeyboardInterrupt):
        drilling.drill(Home(tmp_path), wanted(tmp_path, task()))
    assert standin.did("undone")
    assert lease.process_started(int((standin.directory / "pid").read_text())) is None
