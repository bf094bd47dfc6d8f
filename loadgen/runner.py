"""Starts the generator: Locust in a process and session of its own, on the last CPU core, away from what it measures."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from loadgen import history, session
from reference_app.kit import home as homes
from reference_app.kit.home import Home

LOCUSTFILE = homes.REPOSITORY / "loadgen" / "locustfiles" / "spike.py"
UI_LOCUSTFILE = LOCUSTFILE.with_name("ui.py")
LOG = "load/locust.log"
COULD_NOT_BEGIN = 2
"""Exit code of the locustfile."""
STOP_S = 5.0
"""The generator ends within 2 s of a SIGTERM; what does not is killed after this."""


@dataclass(frozen=True)
class Generator:
    """A running load. It leads its own process group, so a Ctrl-C at the terminal does not reach it."""

    process: subprocess.Popen[bytes]

    @property
    def pid(self) -> int:
        return self.process.pid

    def poll(self) -> int | None:
        """Its exit code, None while it runs: 0 recorded, 2 could not begin."""
        return self.process.poll()

    def wait(self, timeout_s: float) -> int:
        """Wait for its end; subprocess.TimeoutExpired when it does not come."""
        return self.process.wait(timeout_s)

    def stop(self) -> int:
        """End the load now. Its files are complete unless it had to be killed. No error when it has ended."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            code = self.process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            code = -signal.SIGKILL
        if code < 0:  # also when somebody else killed it: its workers live on, while one that ends waits for its own
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
        return self.process.wait()


def start(home: Home, run_dir: Path, *, leased: bool = False, processes: int = 1) -> Generator:
    """Start the load of `run_dir/plan.json`. With `leased` it stops by itself once the run's lease lapses.

    Of several processes each sends its part; they have as many of the last cores.
    """
    log = run_dir / LOG
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as output:
        process = subprocess.Popen(
            _argv(log, processes), cwd=homes.REPOSITORY, env=_environment(home, run_dir, leased=leased), start_new_session=True,
            stdin=subprocess.DEVNULL, stdout=output, stderr=output,
        )  # fmt: skip
    os.sched_setaffinity(process.pid, sorted(os.sched_getaffinity(0))[-processes:])
    return Generator(process)


def start_ui(home: Home, *, port: int, host: str, anywhere: bool) -> Generator:
    """Start Locust's page on 127.0.0.1. It says what it does on our stderr; `failwhale down` ends it like all that belongs to the lab."""
    options = ["--web-host", "127.0.0.1", "--web-port", str(port), "--class-picker", "--host", host, *(["--anywhere"] if anywhere else [])]
    command = [sys.executable, "-m", "locust", "-f", str(UI_LOCUSTFILE), *options]
    process = subprocess.Popen(
        command, cwd=homes.REPOSITORY, env=_inherited(home), start_new_session=True, stdin=subprocess.DEVNULL, stdout=sys.stderr
    )
    os.sched_setaffinity(process.pid, {max(os.sched_getaffinity(0))})
    return Generator(process)


def never_began(generator: Generator, run_dir: Path) -> bool:
    """True for one that ended before it opened a history: there is nothing to report. Locust ends with the same code for faults of its own."""
    return generator.poll() == COULD_NOT_BEGIN and not (run_dir / history.FILE).exists()


def ending(generator: Generator, run_dir: Path) -> str:
    """How one ended that did not end well, in words."""
    how = "could not begin" if never_began(generator, run_dir) else f"ended with exit code {generator.poll()}"
    return f"the generator {how}: {last_words(run_dir)}"


def last_words(run_dir: Path) -> str:
    """The last line of the generator's log, for a message about why it could not begin or go on."""
    lines = (run_dir / LOG).read_text(errors="replace").splitlines()
    return lines[-1] if lines else "it wrote nothing"


def _argv(log: Path, processes: int) -> list[str]:
    each = str(processes)
    options = ["--headless", "--users", each, "--spawn-rate", each, "--only-summary", "--loglevel", "INFO", "--logfile", str(log)]
    if processes > 1:
        port = str(_free_port())
        options += ["--processes", each, "--master-bind-host", "127.0.0.1", "--master-bind-port", port, "--master-port", port]
    return [sys.executable, "-m", "locust", "-f", str(LOCUSTFILE), *options]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _environment(home: Home, run_dir: Path, *, leased: bool) -> dict[str, str]:
    return _inherited(home) | {session.RUN_DIR_VARIABLE: str(run_dir), session.LEASE_VARIABLE: "1" if leased else "0"}


def _inherited(home: Home) -> dict[str, str]:
    """Options of Locust's in the environment would be those of somebody else's test."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("LOCUST_")}
    return inherited | {homes.HOME_VARIABLE: str(home.path), homes.MARK_VARIABLE: str(home.path)}
