"""Processes of a lab are found by their mark and ended, whoever their parent is."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from reference_app.kit.home import MARK_VARIABLE
from reference_app.stack import marks
from reference_app.stack.program import COMPONENT_VARIABLE


@contextmanager
def sleeper(home: Path, component: str = "", code: str = "") -> Iterator[subprocess.Popen[bytes]]:
    """A process that carries the mark and leads its group, ready when this yields."""
    environment = os.environ | {MARK_VARIABLE: str(home), COMPONENT_VARIABLE: component}
    script = f"import signal, time\n{code}\nprint(flush=True)\ntime.sleep(60)"
    process = subprocess.Popen([sys.executable, "-c", script], env=environment, start_new_session=True, stdout=subprocess.PIPE)
    assert process.stdout is not None
    with process:
        try:
            process.stdout.readline()
            yield process
        finally:
            process.kill()


def test_a_marked_process_is_found_with_its_component_and_a_stranger_is_not(tmp_path: Path) -> None:
    with sleeper(tmp_path, "graph-0") as mine, sleeper(tmp_path / "other", "graph-0"):
        assert [(p.pid, p.component, p.leader) for p in marks.find(tmp_path)] == [(mine.pid, "graph-0", True)]
        assert marks.components(tmp_path)["graph-0"].pid == mine.pid


def test_a_home_whose_name_begins_like_another_is_not_mistaken_for_it(tmp_path: Path) -> None:
    with sleeper(tmp_path / "lab2"):
        assert marks.find(tmp_path / "lab") == []


def test_end_terminates_a_paused_process(tmp_path: Path) -> None:
    with sleeper(tmp_path) as paused:
        paused.send_signal(signal.SIGSTOP)
        assert marks.end(tmp_path, grace_s=5) == 1
        assert paused.wait(5) == -signal.SIGTERM


def test_end_kills_what_ignores_sigterm_after_the_grace(tmp_path: Path) -> None:
    with sleeper(tmp_path, code="signal.signal(signal.SIGTERM, signal.SIG_IGN)") as stubborn:
        assert marks.end(tmp_path, grace_s=0.05) == 1
        assert stubborn.wait(5) == -signal.SIGKILL


def test_end_leaves_what_was_not_chosen(tmp_path: Path) -> None:
    with sleeper(tmp_path, "graph-0") as component, sleeper(tmp_path) as guest:
        assert marks.end(tmp_path, grace_s=5, only=lambda process: not process.component) == 1
        assert guest.wait(5) == -signal.SIGTERM
        assert component.poll() is None


def test_the_caller_and_its_ancestors_are_spared(tmp_path: Path) -> None:
    code = f"from pathlib import Path; from reference_app.stack import marks; print(marks.find(Path({str(tmp_path)!r})))"
    environment = os.environ | {MARK_VARIABLE: str(tmp_path)}
    shell = ["sh", "-c", '"$0" -c "$1"; true', sys.executable, code]
    seen = subprocess.run(shell, env=environment, capture_output=True, text=True, check=True, cwd=Path(marks.__file__).parents[2])
    assert seen.stdout.strip() == "[]"


def test_memory_and_uptime_of_a_component_are_known(tmp_path: Path) -> None:
    with sleeper(tmp_path, "graph-0"):
        assert marks.pss_mib(tmp_path)["graph-0"] > 1
        assert 0 <= marks.uptime_s(marks.components(tmp_path)["graph-0"]) < 60
