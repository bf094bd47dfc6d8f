"""Work that the console starts: `python -m failwhale …` as a process of its own, and what became of it."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import msgspec

from reference_app.kit import files, lease
from reference_app.kit.home import HOME_VARIABLE, MARK_VARIABLE, REPOSITORY, Home
from reference_app.stack.program import COMPONENT_VARIABLE

Work = Literal["drill", "load", "locust"]

PATIENCE_S = 60.0
"""For a short command: `chaos halt` takes every fault back before it returns, and a busy machine takes its time to look ahead."""


@dataclass(frozen=True)
class Started:
    """`drill` is its name, of a load that of the preset. `process_started` (clock ticks since boot) tells the process from a stranger that got its pid; `at` is Unix seconds."""

    drill: str
    pid: int
    process_started: int
    at: float


@dataclass(frozen=True)
class Ended:
    """What a drill or a load that ended left: the run it was, or why there is none."""

    drill: str
    run_id: str | None
    verdict: str
    complaint: str = ""


@dataclass(frozen=True)
class Answer:
    """What a short command said: `text` for people, `printed` on its standard output."""

    ok: bool
    text: str
    printed: str = ""


class _Load(msgspec.Struct):
    valid: bool


class _Printed(msgspec.Struct):
    """The part of `drill --json` and of `load run --json` that is wanted here."""

    run_id: str
    verdict: str = ""
    load: _Load | None = None

    @property
    def judged(self) -> str:
        """The verdict; of a load alone, whether it may be believed."""
        return self.verdict or ("valid" if self.load and self.load.valid else "not valid")


class Spawner:
    """Starts commands for one lab; one drill, or one load, at a time."""

    def __init__(self, home: Home, work: Work = "drill") -> None:
        self._home, self.work = home, work
        self._child: subprocess.Popen[bytes] | None = None

    def start_drill(self, name: str, *, now: float, sham: bool = False) -> None:
        """Start a drill, or its sham twin. It outlives the console, and `failwhale down` ends it."""
        self._start(name, ["drill", name, "--json", *(["--sham"] if sham else [])], now)

    def start_load(self, preset: str, *, now: float, scale: float) -> None:
        """Start a load without a fault, whose phases are `scale` times as long as a drill's. `stop` ends it before its time."""
        self._start(preset, ["load", "run", preset, "--duration-scale", f"{scale:g}", "--json"], now)

    def start_locust(self, *, now: float) -> None:
        """Open Locust's own page. `stop` closes it."""
        self._start("ui", ["load", "ui"], now)

    def stop(self) -> None:
        """Interrupt what was started here: it ends in its own way, and keeps its record."""
        started = self.running()
        if started is not None:
            with contextlib.suppress(ProcessLookupError):  # it ended this moment
                os.kill(started.pid, signal.SIGINT)

    def _start(self, name: str, arguments: list[str], now: float) -> None:
        self._directory.mkdir(parents=True, exist_ok=True)
        with self._printed.open("wb") as out, self._said.open("wb") as err:
            self._child = subprocess.Popen(
                _command(*arguments), cwd=REPOSITORY, env=self._environment(), start_new_session=True,
                stdin=subprocess.DEVNULL, stdout=out, stderr=err,
            )  # fmt: skip
        started = lease.process_started(self._child.pid) or 0
        files.write_json(self._note, Started(name, self._child.pid, started, now))

    def running(self) -> Started | None:
        """What was started here and has not ended, also by a console before this one."""
        noted = self._noted()
        if self._child is None:
            return noted if noted and lease.process_started(noted.pid) == noted.process_started else None
        if self._child.poll() is None:
            return noted
        self._child = None
        return None

    def said(self) -> str:
        """The last line that it wrote about its progress."""
        lines = self._said.read_text(errors="replace").splitlines() if self._said.exists() else []
        return next((line.strip() for line in reversed(lines) if line.strip()), "")

    def ended(self) -> Ended | None:
        """How the last one that was started here ended; None while it runs, or when there was none."""
        noted = self._noted()
        if noted is None or self.running():
            return None
        try:
            printed = msgspec.json.decode(self._printed.read_bytes(), type=_Printed)
        except (FileNotFoundError, msgspec.DecodeError):
            return Ended(noted.drill, None, "", self.said() or "it ended without a word")
        return Ended(noted.drill, printed.run_id, printed.judged)

    def dismiss(self) -> None:
        """Forget what ended."""
        self._note.unlink(missing_ok=True)

    def run(self, *arguments: str) -> Answer:
        """A command that ends by itself soon."""
        try:
            done = subprocess.run(
                _command(*arguments), cwd=REPOSITORY, env=self._environment(), stdin=subprocess.DEVNULL, capture_output=True, text=True,
                timeout=PATIENCE_S, check=False,
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            return Answer(ok=False, text=f"`failwhale {' '.join(arguments)}` did not end within {PATIENCE_S:g} s: run it in a terminal")
        return Answer(done.returncode == 0, done.stderr.strip() or done.stdout.strip(), done.stdout)

    def _noted(self) -> Started | None:
        try:
            return msgspec.json.decode(self._note.read_bytes(), type=Started)
        except FileNotFoundError:
            return None

    def _environment(self) -> dict[str, str]:
        """Marked as the lab's guest; a console that belongs to the lab itself must not pass on that it is the console."""
        own = {name: value for name, value in os.environ.items() if name != COMPONENT_VARIABLE}
        return own | {HOME_VARIABLE: str(self._home.path), MARK_VARIABLE: str(self._home.path)}

    @property
    def _directory(self) -> Path:
        return self._home.path / "console"

    @property
    def _note(self) -> Path:
        return self._directory / f"{self.work}.json"

    @property
    def _printed(self) -> Path:
        return self._directory / f"{self.work}.out"

    @property
    def _said(self) -> Path:
        return self._directory / f"{self.work}.err"


def _command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "failwhale", *arguments]
