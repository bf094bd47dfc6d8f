"""The archive of published postmortems: a copy of text, record, evidence and figures that goes into git and names no path of this machine."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from postmortems import actions, auditlog, store
from reference_app.kit.home import REPOSITORY, Home

ARCHIVE = REPOSITORY / "postmortems" / "archive"
_FILES = (store.POSTMORTEM, store.INCIDENT, actions.FILE, auditlog.FILE)
_DIRECTORIES = (store.SNAPSHOT, store.FIGURES)


def copy(incident_dir: Path, archive: Path) -> Path:
    """Copy what is published, over an earlier copy; the copy's directory."""
    target = archive / incident_dir.name
    scratch = archive / f".{incident_dir.name}.new"
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir(parents=True)
    for path in (incident_dir / name for name in _FILES):
        if path.exists():
            shutil.copyfile(path, scratch / path.name)
    for path in (incident_dir / name for name in _DIRECTORIES):
        if path.exists():
            shutil.copytree(path, scratch / path.name)
    shutil.rmtree(target, ignore_errors=True)
    scratch.rename(target)
    return target


def paths_of_the_machine(incident_dir: Path, home: Home) -> Iterator[str]:
    """Files that name the lab's or the checkout's directory, a sentence each."""
    found = [incident_dir / name for name in _FILES]
    found += [path for name in _DIRECTORIES for path in sorted((incident_dir / name).rglob("*"))]
    for path in (path for path in found if path.is_file()):
        if named := next(filter(None, (path_in(text, home) for text in _texts(path))), ""):
            yield f"{path.relative_to(incident_dir)} names {named}, a path of this machine: take it out before it is published"


def path_in(text: str, home: Home) -> str:
    """The lab's or the checkout's directory, whichever a text names; empty when it names neither."""
    return next((place for place in sorted({str(home.path), str(REPOSITORY)}) if place in text), "")


def _texts(path: Path) -> Iterator[str]:
    if path.suffix == ".parquet":
        with contextlib.suppress(OSError, pa.ArrowException):  # a table that is damaged is read as what it is, and `check` tells of it
            for column in (c for c in pq.read_table(path).columns if pa.types.is_string(c.type)):
                yield "\n".join(filter(None, column.unique().to_pylist()))
            return
    yield path.read_text(errors="replace")
