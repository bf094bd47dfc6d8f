"""`failwhale console`: the Streamlit pages, in the foreground; `make demo` starts them detached."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from typing import Annotated

import httpx
import typer

from failwhale.commands import terminal
from reference_app.contract.topology import CONSOLE_PORT_OFFSET, DEFAULT_PORT_BASE
from reference_app.kit.home import HOME_VARIABLE, REPOSITORY, Home, NoLabError
from reference_app.stack import errors, ports, program

NAME = "console"
READY_SECONDS, POLL_SECONDS = 20.0, 0.2
USAGE = 2


class ConsoleError(errors.StackError):
    """The console does not answer; the message says what to look at."""


def register(app: typer.Typer) -> None:
    """Add the command to the app."""
    app.command()(console)


def console(port: Annotated[int | None, typer.Option(help="Port on 127.0.0.1; by default the one of the lab.")] = None) -> None:
    """Show the running lab, recorded drills with their traces, and postmortems in a browser, until Ctrl-C. Needs no running lab.

    Exit codes: 0 ended by hand, 2 the port is taken.
    """
    home = Home.from_environment()
    chosen = port or _default_port(home)
    for listener in ports.listeners([chosen]):
        terminal.complain(f"port {chosen} is {listener}: the console may be open already at {_url(chosen)}; else give another with --port")
        raise typer.Exit(USAGE)
    terminal.obey_interrupts()
    terminal.say(f"console {_url(chosen)}   (Ctrl-C ends it)")
    with subprocess.Popen(_command(chosen), env=_environment(home), cwd=REPOSITORY) as running:
        try:
            raise typer.Exit(running.wait())
        except KeyboardInterrupt:
            running.terminate()
            raise typer.Exit(0) from None


def start_detached(home: Home, port: int) -> str:
    """Start the console in a session of its own, marked as this lab's, and wait until it answers; its URL. One that runs is kept.

    Raises ConsoleError.
    """
    if not _answers(port):
        for listener in ports.listeners([port]):
            raise ConsoleError(f"port {port} is {listener} and not by the console: `failwhale console --port N` takes another")
        program.spawn(home, NAME, _command(port))
        _await_answer(home, port)
    return _url(port)


def _await_answer(home: Home, port: int) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while not _answers(port):
        if time.monotonic() > deadline:
            raise ConsoleError(f"the console did not answer within {READY_SECONDS:g} s: see {program.log_file(home, NAME)}")
        time.sleep(POLL_SECONDS)


def _answers(port: int) -> bool:
    try:
        return httpx.get(f"{_url(port)}/_stcore/health", timeout=1, trust_env=False).text == "ok"
    except httpx.HTTPError:
        return False


def _command(port: int) -> list[str]:
    return [sys.executable, "-m", "streamlit", "run", str(REPOSITORY / "dashboards/console/app.py"), "--server.port", str(port)]


def _environment(home: Home) -> dict[str, str]:
    return {**os.environ, HOME_VARIABLE: str(home.path)}


def _default_port(home: Home) -> int:
    try:
        return home.lab().console_port
    except NoLabError:
        return DEFAULT_PORT_BASE + CONSOLE_PORT_OFFSET


def _url(port: int) -> str:
    return f"http://127.0.0.1:{port}"
