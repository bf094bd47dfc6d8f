"""One drill of a game day: `python -m failwhale drill` as a process of its own, which undoes and ends when the game day dies."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import msgspec

from chaos import undo
from chaos.gameday import Task
from failwhale.dayrecord import Drilled
from reference_app.kit.home import HOME_VARIABLE, MARK_VARIABLE, REPOSITORY, Home

SLACK_S = 240.0
"""Beyond what a drill is expected to take: a lab that has to be started, a slow audit."""
INTERRUPTED_S = 90.0
"""An interrupted drill undoes, audits and drafts before it ends."""


@dataclass(frozen=True)
class Drilling:
    """A drill to be done; what it prints goes to `files` + .json, what it says to `files` + .log."""

    task: Task
    seed: int
    files: Path


def drill(home: Home, wanted: Drilling) -> Drilled:
    """What came of it. A KeyboardInterrupt is passed on when the drill has undone everything and ended."""
    printed, said = wanted.files.with_name(f"{wanted.files.name}.json"), wanted.files.with_name(f"{wanted.files.name}.log")
    with printed.open("wb") as out, said.open("wb") as err:
        process = subprocess.Popen(
            [*_leash(), sys.executable, "-m", "failwhale", *arguments(wanted)], cwd=REPOSITORY, env=_environment(home),
            start_new_session=True, stdin=subprocess.DEVNULL, stdout=out, stderr=err,
        )  # fmt: skip
        in_time = _await(process, wanted.task.seconds + SLACK_S)
    result = _result(printed, said)
    if in_time or result.verdict == "error":
        return result
    return Drilled(
        "error", (f"It did not end within {wanted.task.seconds + SLACK_S:.0f} s and was interrupted.", *result.reasons), result.run_id
    )


def arguments(wanted: Drilling) -> Iterator[str]:
    """Of the command line."""
    task = wanted.task
    yield from ("drill", task.drill, "--json", "--seed", str(wanted.seed), "--topology", task.topology)
    if task.sham:
        yield "--sham"
    for name, length in task.phases.items():
        yield from ("--phase", f"{name}={length:g}")


def replay(home: Home) -> None:
    """Undo what a drill that was killed left behind."""
    undo.replay_leftovers(home, by="gameday")


def _await(process: subprocess.Popen[bytes], limit_s: float) -> bool:
    """Wait for the end; a drill that takes too long is interrupted, and so it is when this process is."""
    try:
        process.wait(limit_s)
    except subprocess.TimeoutExpired:
        _interrupt(process)
        return False
    except KeyboardInterrupt:
        _interrupt(process)
        raise
    return True


def _interrupt(process: subprocess.Popen[bytes]) -> None:
    """The reaper undoes what a drill cannot that had to be killed."""
    process.send_signal(signal.SIGINT)
    try:
        process.wait(INTERRUPTED_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _result(printed: Path, said: Path) -> Drilled:
    try:
        return msgspec.json.decode(printed.read_bytes(), type=Drilled)
    except msgspec.DecodeError:
        lines = [line.strip() for line in said.read_text(errors="replace").splitlines() if line.strip()]
        return Drilled("error", (lines[-1] if lines else "The drill ended without a word.",))


def _leash() -> tuple[str, ...]:
    """Prefix of a command that is interrupted when its parent dies, however that dies; none where util-linux is not installed."""
    setpriv = shutil.which("setpriv")
    return (setpriv, "--pdeathsig", "INT", "--") if setpriv else ()


def _environment(home: Home) -> dict[str, str]:
    """Marked as the lab's guest, so that `failwhale down` ends it."""
    return os.environ | {HOME_VARIABLE: str(home.path), MARK_VARIABLE: str(home.path)}
