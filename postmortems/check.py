"""Does a postmortem tell the truth? Every number is derived again from the snapshot, the snapshot is held against its hashes, and those who
counted the same requests are held against one another.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import msgspec

from postmortems import actions, charts, evidence, figures, frontmatter, lostmarks, reconcile, render, store, verification, wording
from postmortems.actions import ActionError
from postmortems.figures import Derivation
from postmortems.frontmatter import FrontMatterError
from postmortems.model import Header, Incident, Manifest

_MAY_CHANGE = ("title", "status", "severity", "template")
"""What people may change in a header; the rest is evidence."""
_RULE = re.compile(r"(?=.*\|)\|?\s*:?-+:?\s*(?:\|\s*:?-+:?\s*)*\|?")
"""The line below the head of a table."""
_MEASURED = ("load", "change", "chaos", "alert", "recovery")
_TABLES = ("## Summary", "## Impact", "## Clocks", "## Detection", "## Evidence")
"""Sections whose rows are measured, all of them."""


def findings(incident_dir: Path) -> list[str]:
    """What is untrue or cannot be verified, in sentences; empty when all is well. Raises store.NoIncidentError."""
    incident, snapshot_dir = store.read_file(incident_dir / store.INCIDENT), incident_dir / store.SNAPSHOT
    try:
        manifest = evidence.read_manifest(snapshot_dir)
    except evidence.NoSnapshotError as error:
        return [str(error)]
    found = [*_manifest(incident, snapshot_dir), *_files(manifest, snapshot_dir)]
    try:
        snapshot = evidence.read(snapshot_dir)
    except evidence.NoSnapshotError as error:
        return [*found, str(error)]
    derived = figures.derive(snapshot, manifest)
    header = render.header(snapshot, derived, snapshot_sha256=evidence.sha256(snapshot_dir / evidence.MANIFEST))
    found += [*_header("incident.yaml", asdict(incident.header), header), *_recorded(incident, derived)]
    found += reconcile.disagreements(reconcile.counts(snapshot, manifest.window))
    found += _charts(incident_dir / store.FIGURES, render.chart_files(snapshot, derived))
    text = incident_dir / store.POSTMORTEM
    found += [*_text(text, header, derived), *lostmarks.findings(text, header, snapshot, derived, manifest)]
    return [*found, *_actions(incident_dir)]


def _manifest(incident: Incident, snapshot_dir: Path) -> Iterator[str]:
    if evidence.sha256(snapshot_dir / evidence.MANIFEST) != incident.header.snapshot_sha256:
        yield f"snapshot/{evidence.MANIFEST} is not the one that incident.yaml names: its sha256 differs"


def _files(manifest: Manifest, snapshot_dir: Path) -> Iterator[str]:
    for name, file in manifest.files.items():
        path = snapshot_dir / name
        if not path.exists():
            yield f"snapshot/{name} is missing"
        elif evidence.sha256(path) != file.sha256:
            yield f"snapshot/{name} was changed: its sha256 is not the one in {evidence.MANIFEST}"
    for name in sorted({path.name for path in snapshot_dir.iterdir()} - set(manifest.files) - {evidence.MANIFEST}):
        yield f"snapshot/{name} is not listed in {evidence.MANIFEST}"


def _header(where: str, stated: dict[str, Any], derived: Header) -> Iterator[str]:
    for name, value in asdict(derived).items():
        if name not in _MAY_CHANGE and stated.get(name) != value:
            yield f"{where} states {name} {stated.get(name)!r}, the snapshot gives {value!r}"


def _recorded(incident: Incident, derived: Derivation) -> Iterator[str]:
    for name in sorted(incident.figures.keys() | derived.figures.keys()):
        if name not in derived.figures:
            yield f"incident.yaml records the figure {name}, which the snapshot does not give"
        elif name not in incident.figures:
            yield f"incident.yaml lacks the figure {name}"
        elif incident.figures[name] != derived.figures[name]:
            stated, true = incident.figures[name], derived.figures[name]
            yield f"incident.yaml records {name} as {stated.value!r}, the snapshot gives {true.value!r} ({true.source})"
    true_clocks = msgspec.to_builtins(derived.clocks)
    for name in sorted(incident.clocks.keys() | true_clocks.keys()):
        value = incident.clocks.get(name)
        if value != true_clocks.get(name):
            yield f"incident.yaml records the clock {name} as {value!r}, the snapshot gives {true_clocks.get(name)!r}"


def _charts(directory: Path, true: dict[str, str]) -> Iterator[str]:
    for name, specification in true.items():
        path = directory / f"{name}.vl.json"
        try:
            drawn = charts.data_of(path.read_bytes())
        except (FileNotFoundError, ValueError) as error:
            yield f"{directory.name}/{path.name} cannot be read: {error}"
            continue
        if drawn != charts.data_of(specification):
            yield f"{directory.name}/{path.name} draws other data than the snapshot gives"


def _text(path: Path, header: Header, derived: Derivation) -> Iterator[str]:
    if not path.exists():
        yield f"{path.name} is missing"
        return
    text = path.read_text()
    try:
        yield from _header(path.name, frontmatter.read(text), header)
    except FrontMatterError as error:
        yield f"{path.name}: {error}"
    yield from _unproven(path.name, text)
    for stated in wording.stated(text):
        if stated.name not in derived.figures:
            yield f"{path.name} line {stated.line} states {stated.name}, which the snapshot does not give"
        elif not stated.says(expected := wording.text(derived.figures[stated.name])):
            yield f"{path.name} line {stated.line} states {stated.name} as {_last_words(stated.text)!r}, the snapshot gives {expected!r}"


def _unproven(name: str, text: str) -> Iterator[str]:
    """Rows of the evidence's own tables that carry no figure: people may add what they saw and did, not what was measured."""
    for number, section, line in _rows(text):
        kind = [*line.removeprefix("|").split("|"), ""][1].strip()
        if not wording.MARK.search(line) and (section in _TABLES or (section == "## Timeline" and kind in _MEASURED)):
            yield f"{name} line {number} states what no figure of the snapshot stands behind: {line}"


def _rows(text: str) -> Iterator[tuple[int, str, str]]:
    """Number, section and line of what stands in tables, without their heads and what is below these."""
    section, inside = "", False
    lines = [line.strip() for line in text.splitlines()]
    for number, (line, below) in enumerate(zip(lines, [*lines[1:], ""], strict=True), 1):
        section = line if line.startswith("## ") else section
        head = not inside and _RULE.fullmatch(below)
        inside = bool(line) and (inside or line.startswith("|") or bool(head))
        if inside and "|" in line and not head and not _RULE.fullmatch(line):
            yield number, section, line


def _actions(incident_dir: Path) -> Iterator[str]:
    try:
        listed = actions.read(incident_dir)
    except ActionError as error:
        yield str(error)
        return
    yield from verification.doubts(listed, incidents=incident_dir.parent, incident_id=incident_dir.name).values()


def _last_words(text: str) -> str:
    return " ".join(text.rstrip().split()[-3:])
