"""The safety lever: while a lab is halted no fault is applied, and faults that are held end."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import msgspec

from reference_app.kit import files


@dataclass(frozen=True)
class Halt:
    """Why chaos was halted, and since when (Unix seconds)."""

    reason: str
    at: float


def read(chaos_dir: Path) -> Halt | None:
    """The halt in force, None when chaos is allowed. Whoever pulled a lever whose file cannot be read meant it."""
    try:
        return msgspec.json.decode(_path(chaos_dir).read_bytes(), type=Halt)
    except FileNotFoundError:
        return None
    except msgspec.DecodeError as error:
        return Halt(f"{_path(chaos_dir)} cannot be read ({error})", 0.0)


def pull(chaos_dir: Path, reason: str, *, now: float) -> Halt:
    """Forbid chaos from now on."""
    halted = Halt(reason, now)
    files.write_json(_path(chaos_dir), halted, durable=True)
    return halted


def release(chaos_dir: Path) -> None:
    """Allow chaos again; no error when it was allowed."""
    if _path(chaos_dir).exists():
        files.remove_durably(_path(chaos_dir))


def _path(chaos_dir: Path) -> Path:
    return chaos_dir / "halt.json"
