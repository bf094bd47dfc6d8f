"""A process of the lab as data. `failwhale up` writes the list to `conf/programs.json`; `control` starts from it when supervisord is dead."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from reference_app.contract.topology import Kind
from reference_app.kit import files
from reference_app.kit.home import HOME_VARIABLE, MARK_VARIABLE, REPOSITORY, Home

COMPONENT_VARIABLE = "FAILWHALE_COMPONENT"
SUPERVISORD = "supervisord"


@dataclass(frozen=True)
class Program:
    """Programs of a lower wave answer before those of the next are started."""

    name: str
    kind: Kind
    argv: tuple[str, ...]
    port: int
    wave: int


def log_file(home: Home, name: str) -> Path:
    """Where a program's standard output and error go."""
    return home.logs / f"{name}.log"


def marks(home: Home, name: str) -> dict[str, str]:
    """Environment by which a process is known as this lab's."""
    return {HOME_VARIABLE: str(home.path), MARK_VARIABLE: str(home.path), COMPONENT_VARIABLE: name}


def save(home: Home, programs: Sequence[Program]) -> None:
    files.write_json(_file(home), list(programs))


def load(home: Home) -> tuple[Program, ...]:
    """The programs as the last `up` laid them out, in order of their waves."""
    return msgspec.json.decode(_file(home).read_bytes(), type=tuple[Program, ...])


def spawn(home: Home, name: str, argv: Sequence[str]) -> None:
    """Start a process in its own session, marked, adopted by init; its output is appended to its log."""
    home.logs.mkdir(parents=True, exist_ok=True)
    with log_file(home, name).open("ab") as log:
        subprocess.run(
            ["setsid", "--fork", *argv],
            env={**os.environ, **marks(home, name)},
            cwd=REPOSITORY,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            check=True,
        )


def _file(home: Home) -> Path:
    return home.conf / "programs.json"
