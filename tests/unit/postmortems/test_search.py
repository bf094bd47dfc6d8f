from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import msgspec
import pytest
import yaml

from postmortems import search, store
from postmortems.model import Draft, Incident
from reference_app.kit import files


@pytest.fixture
def root(drafted: Draft) -> Path:
    """The recorded incident, one with the same alerts, and one with none of them."""
    root, record = drafted.incident_dir.parent, store.read_file(drafted.incident_dir / store.INCIDENT)
    plant(root, "20261101T000000Z-alike", replace(record, figures=record.figures), "The replica took over at once.\n")
    silent = {name: figure for name, figure in record.figures.items() if not name.startswith("timeline.")}
    plant(
        root,
        "20261102T000000Z-other",
        replace(record, figures=silent),
        "The replica lagged behind; the relay was paused.\n",
        title="Posts failed",
    )
    return root


def plant(root: Path, name: str, incident: Incident, text: str, *, title: str | None = None) -> None:
    header = replace(incident.header, id=name, title=title or incident.header.title)
    content = yaml.safe_dump(msgspec.to_builtins(replace(incident, header=header)), sort_keys=False)
    files.write_atomic(root / name / store.INCIDENT, content.encode())
    files.write_atomic(root / name / store.POSTMORTEM, f"---\nid: {name}\n---\n# {header.title}\n\n{text}".encode())


def test_a_search_finds_the_postmortems_with_all_words_and_shows_their_lines(root: Path) -> None:
    found = search.search("Replica RELAY", search.directories(root))
    assert [(hit.id, hit.score, hit.lines) for hit in found] == [
        ("20261102T000000Z-other", 1.0, ("The replica lagged behind; the relay was paused.",))
    ]
    assert len(search.search("replica", search.directories(root))) >= 2
    assert search.search("nobodywrotethis", search.directories(root)) == search.search("  ", search.directories(root)) == []


def test_one_that_cannot_be_read_hides_no_other_and_is_named(root: Path, drafted: Draft, caplog: pytest.LogCaptureFixture) -> None:
    (root / "20261102T000000Z-other" / store.INCIDENT).write_text("title: Outage: shard 0\n")
    assert [hit.id for hit in search.search("replica took over", search.directories(root))] == ["20261101T000000Z-alike"]
    own = store.read_file(drafted.incident_dir / store.INCIDENT)
    assert len(search.similar(own, search.directories(root))) == 1
    assert "20261102T000000Z-other is passed over" in caplog.text


def test_the_incident_with_the_same_alerts_is_the_most_alike_and_says_why(root: Path, drafted: Draft) -> None:
    own = store.read_file(drafted.incident_dir / store.INCIDENT)
    (first,) = search.similar(own, search.directories(root))
    assert (first.id, first.likeness) == ("20261101T000000Z-alike", 1.0)
    assert "alert: ComponentDown for tweets-db-0-primary" in first.common
    assert "users met: Home pages were incomplete" in first.common


def test_an_incident_of_the_home_counts_before_its_copy_in_the_archive(root: Path, tmp_path: Path) -> None:
    record = store.read_file(root / "20261101T000000Z-alike" / store.INCIDENT)
    plant(tmp_path / "archive", "20261101T000000Z-alike", record, "old\n")
    plant(tmp_path / "archive", "20251101T000000Z-older", record, "old\n")
    assert {path.parent for path in search.directories(root, tmp_path / "archive")} == {root, tmp_path / "archive"}
    assert len(search.directories(root, tmp_path / "archive")) == 4
