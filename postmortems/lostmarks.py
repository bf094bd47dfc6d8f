"""Figures of the draft that a text no longer ties to the evidence: who takes a mark away takes its number out of the check."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from postmortems import frontmatter, render, store, wording
from postmortems.evidence import Snapshot
from postmortems.figures import Derivation
from postmortems.frontmatter import FrontMatterError
from postmortems.model import Header, Manifest


def findings(path: Path, header: Header, snapshot: Snapshot, derived: Derivation, manifest: Manifest) -> Iterator[str]:
    """Marks that the text has not, or less often than its draft has: each a sentence with what to write again.

    The draft is made anew by the template that the text itself names: one that was kept beside a newer draft is of its own.
    """
    if not path.exists():
        return
    text = path.read_text()
    try:
        template = frontmatter.read(text).get("template")
    except FrontMatterError:
        return
    if template not in (known := [f"{name}/v1" for name in store.TEMPLATES]):
        yield f"{path.name} names the template {template!r}, of which no draft can be made: there are {', '.join(known)}"
        return
    draft = render.postmortem(replace(header, template=template), snapshot, derived, manifest)
    drafted, kept = _marks(draft), _marks(text)
    for name in drafted - kept:
        again = wording.marked(name, derived.figures[name])
        yield f"{path.name} marks {name} {_times(kept[name])}, its draft {_times(drafted[name])}: write {again} where the number was"


def _marks(markdown: str) -> Counter[str]:
    return Counter(stated.name for stated in wording.stated(markdown))


def _times(count: int) -> str:
    return {0: "nowhere", 1: "once"}.get(count, f"{count} times")
