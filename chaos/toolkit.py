"""Starting Chaos Toolkit as a child: it needs the main thread of its own process, and must outlive a Ctrl-C that the drill handles."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

from chaos import journal, processes
from chaos.session import RUN_DIR_VARIABLE, Session
from reference_app.kit.home import HOME_VARIABLE, MARK_VARIABLE, REPOSITORY


def command(experiment: Path, run_dir: Path, *, inject: bool = True) -> list[str]:
    """Never the version check, which asks a server in the internet; never the user's settings, which may switch rollbacks off."""
    chaos_dir = run_dir / "chaos"
    general = ["--no-version-check", "--log-file", str(chaos_dir / "toolkit.log"), "--settings", str(chaos_dir / "settings.yaml")]
    wanted = ["--rollback-strategy", "always", "--journal-path", str(journal.path(run_dir))]
    rehearsal = [] if inject else ["--var", "inject=false"]
    return [sys.executable, "-m", "chaostoolkit", *general, "run", *wanted, *rehearsal, str(experiment)]


def start(session: Session, experiment: Path, *, inject: bool = True) -> subprocess.Popen[bytes]:
    """Run the experiment for a run whose lease this process holds; its output goes to `chaos/console.log`."""
    chaos_dir = session.run_dir / "chaos"
    chaos_dir.mkdir(parents=True, exist_ok=True)
    home = str(session.home.path)
    with (chaos_dir / "console.log").open("ab") as log:
        process = subprocess.Popen(
            command(experiment, session.run_dir, inject=inject),
            cwd=REPOSITORY, start_new_session=True, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            env=os.environ | {HOME_VARIABLE: home, MARK_VARIABLE: home, RUN_DIR_VARIABLE: str(session.run_dir)},
        )  # fmt: skip
    processes.register(session.home.chaos, session.run_id, pid=process.pid, role="chaos")
    return process


def end(process: subprocess.Popen[bytes], grace_s: float) -> None:
    """Ask the toolkit to stop (it still plays its rollbacks), kill it when it does not within the grace."""
    process.send_signal(signal.SIGINT)
    try:
        process.wait(grace_s)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
