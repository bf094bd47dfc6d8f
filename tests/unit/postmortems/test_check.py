from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from postmortems import actions, check, evidence, factors, store, tables
from postmortems.model import Draft, Factor, Factors
from reference_app.kit import files
from reference_app.kit.home import Home

NOW = 1795229200.0

Falsehood = Callable[[Path], None]


def rewrite(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


def in_text(old: str, new: str) -> Falsehood:
    return lambda directory: rewrite(directory / store.POSTMORTEM, old, new)


def in_record(old: str, new: str) -> Falsehood:
    return lambda directory: rewrite(directory / store.INCIDENT, old, new)


def flip_a_byte(directory: Path) -> None:
    path = directory / store.SNAPSHOT / tables.OPERATIONS
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0xFF
    path.write_bytes(content)


def change_the_audit_and_its_hash(directory: Path) -> None:
    audit, manifest = directory / store.SNAPSHOT / "audit.json", directory / store.SNAPSHOT / evidence.MANIFEST
    honest = evidence.sha256(audit)
    rewrite(audit, '"lost": 0', '"lost": 3')
    rewrite(manifest, honest, evidence.sha256(audit))


def fewer_clients(directory: Path) -> None:
    """A history without every tenth request, its hashes adjusted everywhere."""
    path, manifest = directory / store.SNAPSHOT / tables.OPERATIONS, directory / store.SNAPSHOT / evidence.MANIFEST
    honest, before = evidence.sha256(path), evidence.sha256(manifest)
    tables.write_operations(path, [one for one in tables.read_operations(path) if one.n % 10])
    rewrite(manifest, honest, evidence.sha256(path))
    rewrite(directory / store.INCIDENT, before, evidence.sha256(manifest))


FALSEHOODS: dict[str, tuple[Falsehood, str]] = {
    "a smaller number of harmed requests in the text": (
        in_text("of 122<!-- fig:requests.fault.total -->", "of 120<!-- fig:requests.fault.total -->"),
        "postmortem.md line 35 states requests.fault.total as 'of 120', the snapshot gives '122'",
    ),
    "a number that only grew a digit": (
        in_text("73<!-- fig:posts.acknowledged", "173<!-- fig:posts.acknowledged"),
        "states posts.acknowledged as",
    ),
    "a digit behind the mark": (
        in_text("73<!-- fig:posts.acknowledged -->", "73<!-- fig:posts.acknowledged -->5"),
        "states posts.acknowledged as",
    ),
    "a unit behind the mark": (
        in_text("73<!-- fig:posts.acknowledged -->", "73<!-- fig:posts.acknowledged -->k"),
        "states posts.acknowledged as",
    ),
    "lost posts that the audit did not find": (in_text("0<!-- fig:posts.lost", "2<!-- fig:posts.lost"), "states posts.lost as"),
    "an invented value for what is not available": (
        in_text("not available<!-- fig:clock.ttm_s", "12.0 s<!-- fig:clock.ttm_s"),
        "the snapshot gives 'not available'",
    ),
    "another time of the fault": (
        in_text("02:45:21 UTC<!-- fig:time.injected", "02:45:31 UTC<!-- fig:time.injected"),
        "states time.injected as",
    ),
    "a nicer verdict in the text": (in_text("deviated<!-- fig:verdict -->", "passed<!-- fig:verdict -->"), "states verdict as"),
    "a nicer verdict in the front matter": (in_text("verdict: deviated", "verdict: passed"), "postmortem.md states verdict 'passed'"),
    "a figure that no snapshot gives": (
        in_text("<!-- fig:posts.lost -->", "<!-- fig:posts.invented -->"),
        "which the snapshot does not give",
    ),
    "another number in incident.yaml": (
        in_record("posts.acknowledged:\n    value: 73", "posts.acknowledged:\n    value: 74"),
        "incident.yaml records posts.acknowledged as 74, the snapshot gives 73 (audit.json)",
    ),
    "another clock in incident.yaml": (in_record("ttd_s: 3.58", "ttd_s: 1.58"), "incident.yaml records the clock ttd_s as 1.58"),
    "a clock that is gone from incident.yaml": (in_record("  ttd_s: 3.58\n", ""), "incident.yaml records the clock ttd_s as None"),
    "another seed in incident.yaml": (in_record("seed: 7", "seed: 8"), "incident.yaml states seed 8, the snapshot gives 7"),
    "a changed byte in the snapshot": (flip_a_byte, "snapshot/operations.parquet was changed"),
    "a changed number in the snapshot, its hash adjusted": (change_the_audit_and_its_hash, "snapshot/manifest.json is not the one"),
    "a removed table": (lambda directory: (directory / store.SNAPSHOT / tables.ALERTS).unlink(), "snapshot/alerts.parquet is missing"),
    "a removed manifest": (lambda directory: (directory / store.SNAPSHOT / evidence.MANIFEST).unlink(), "the snapshot is incomplete"),
    "a file slipped into the snapshot": (
        lambda directory: files.write_atomic(directory / store.SNAPSHOT / "more.json", b"{}"),
        "snapshot/more.json is not listed",
    ),
    "a removed text": (lambda directory: (directory / store.POSTMORTEM).unlink(), "postmortem.md is missing"),
    "a chart with a retouched point": (
        lambda directory: rewrite(directory / store.FIGURES / "complete.vl.json", '"value": 1.0', '"value": 0.5'),
        "figures/complete.vl.json draws other data",
    ),
    "another name of an alert": (in_text("ComponentDown<!-- fig:alert.1.name", "SloBurn<!-- fig:alert.1.name"), "states alert.1.name as"),
    "another time of an alert": (in_text("<!-- fig:alert.1.after", "1<!-- fig:alert.1.after"), "states alert.1.after as"),
    "an invented alert in the table": (
        in_text("\n*Which alert should have fired", "| `SloBurn` | home | page | 1.0 s | 9.0 s |\n\n*Which alert should have fired"),
        "states what no figure of the snapshot stands behind: | `SloBurn`",
    ),
    "an invented phase under Impact": (
        in_text("\nUsers:", "| fault | 3 | 0 | 0 | 1 ms | 2 ms | 3 ms |\n\nUsers:"),
        "states what no figure of the snapshot stands behind: | fault",
    ),
    "an invented clock": (
        in_text("\nA fault that is undone", "| time to detect | 0.1 s | at once |\n\nA fault that is undone"),
        "states what no figure of the snapshot stands behind: | time to detect",
    ),
    "a row without a first cell": (
        in_text("\nUsers:", "| | 12,000 posts were lost |\n\nUsers:"),
        "states what no figure of the snapshot stands behind: | | 12,000 posts",
    ),
    "a row that begins as a head does": (
        in_text("\nUsers:", "| posts | 12,000 |\n\nUsers:"),
        "states what no figure of the snapshot stands behind: | posts | 12,000",
    ),
    "a row that has a rule below it, as a head has": (
        in_text("\nUsers:", "| posts lost | 12,000 |\n|---|---|\n\nUsers:"),
        "states what no figure of the snapshot stands behind: | posts lost | 12,000",
    ),
    "a row without a line at its beginning": (
        in_text("\nUsers:", "posts lost | 12,000\n\nUsers:"),
        "states what no figure of the snapshot stands behind: posts lost | 12,000",
    ),
    "a row below a table's head of its own": (
        in_text("\nUsers:", "\nlost | in all\n---|---\nposts | 12,000\n\nUsers:"),
        "states what no figure of the snapshot stands behind: posts | 12,000",
    ),
    "a row under a smaller heading": (
        in_text("\nUsers:", "\n### In detail\n\n| what | lost |\n|---|---|\n| posts | 12,000 |\n\nUsers:"),
        "states what no figure of the snapshot stands behind: | posts | 12,000",
    ),
    "a row that begins as the head of the clocks does": (
        in_text("\nA fault that is undone", "| clock | 0.1 s | x |\n\nA fault that is undone"),
        "states what no figure of the snapshot stands behind: | clock | 0.1 s",
    ),
    "an invented alert on the timeline": (
        in_text("\n*Add observations", "| 02:45:30 UTC | alert | `SloBurn` fires | `alerts.parquet` |\n\n*Add observations"),
        "states what no figure of the snapshot stands behind: | 02:45:30 UTC",
    ),
    "swapped units": (
        in_text(" ms<!-- fig:latency.fault.home_p99", " s<!-- fig:latency.fault.home_p99"),
        "states latency.fault.home_p99 as",
    ),
    "another hash of a table": (
        lambda directory: rewrite(directory / store.POSTMORTEM, "`<!-- fig:sha256.operations", "0`<!-- fig:sha256.operations"),
        "states sha256.operations.parquet as",
    ),
    "counts that do not reconcile": (fewer_clients, "they differ by more than 1%"),
    "an action that somebody typed as done": (
        lambda directory: files.write_atomic(
            directory / actions.FILE, b"actions:\n- {id: A1, text: Warm the cache, added_at: 1, state: done}\n"
        ),
        "action A1 says done, but no re-run of its drill is attached, so it counts as open",
    ),
    "a list of actions that is none": (
        lambda directory: files.write_atomic(directory / actions.FILE, b"actions: 3\n"),
        "actions.yaml is no list of actions",
    ),
    "a removed chart": (lambda directory: (directory / store.FIGURES / "posts.vl.json").unlink(), "figures/posts.vl.json cannot be read"),
}


def test_a_fresh_draft_has_no_findings(drafted: Draft) -> None:
    assert check.findings(drafted.incident_dir) == []


def test_a_draft_without_any_signal_has_no_findings_and_says_not_available(home: Home, run_id: str) -> None:
    shutil.rmtree(home.runs / run_id / "load")
    draft = store.draft(home, run_id, prometheus=None, clock=lambda: NOW)
    assert check.findings(draft.incident_dir) == []
    text = draft.postmortem_path.read_text()
    assert "not available<!-- fig:users.harmed -->" in text
    assert "0<!-- fig:users.harmed -->" not in text


def test_a_draft_ranks_what_diagnosis_found_and_says_so_when_nobody_was_told_of_anything(
    home: Home, run_id: str, drafted: Draft, prometheus: evidence.Signals, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "Components by how much speaks for each: not available (" in drafted.postmortem_path.read_text()
    found = Factors((Factor("tweets-db-0-primary", 41.5, ("calls failed",), ()), Factor("gateway-0", 3.0, (), ("it calls what is worse",))))
    monkeypatch.setattr(factors, "of", lambda _directory: found)
    shutil.rmtree(drafted.incident_dir)
    text = store.draft(home, run_id, prometheus=prometheus, clock=lambda: NOW).postmortem_path.read_text()
    assert "1. tweets-db-0-primary<!-- fig:factor.1.component -->, score 41.50<!-- fig:factor.1.score -->" in text
    assert "- against: it calls what is worse<!-- fig:factor.2.against -->" in text
    assert check.findings(drafted.incident_dir) == []
    rewrite(drafted.postmortem_path, "1. tweets-db-0-primary<", "1. tweets-db-1-primary<")
    assert any("states factor.1.component as" in finding for finding in check.findings(drafted.incident_dir))


def test_what_people_write_is_no_finding(drafted: Draft) -> None:
    rewrite(drafted.postmortem_path, "owner: ''", "owner: the timelines team")
    rewrite(drafted.postmortem_path, "status: draft", "status: in-review")
    rewrite(drafted.postmortem_path, "- *What limited the harm?*", "- The breaker opened after 5 failures, within 2 s.")
    assert check.findings(drafted.incident_dir) == []


@pytest.mark.parametrize("name", FALSEHOODS)
def test_a_planted_falsehood_is_found(drafted: Draft, name: str) -> None:
    plant, told = FALSEHOODS[name]
    plant(drafted.incident_dir)
    found = check.findings(drafted.incident_dir)
    assert any(told in finding for finding in found), found


def test_a_row_of_the_short_form_without_a_figure_is_found(home: Home, run_id: str, drafted: Draft, prometheus: evidence.Signals) -> None:
    store.draft(home, run_id, prometheus=prometheus, clock=lambda: NOW, template="short")
    rewrite(drafted.postmortem_path, "\n\n## Timeline", "\n| home-completeness | 99 % | 0 | 9 | 0 % |\n\n## Timeline")
    (found,) = check.findings(drafted.incident_dir)
    assert "states what no figure of the snapshot stands behind: | home-completeness" in found


def test_an_incident_that_does_not_exist_is_named(home: Home) -> None:
    with pytest.raises(store.NoIncidentError, match="no incident at"):
        check.findings(home.incidents / "nowhere")


def test_a_text_that_a_person_edited_is_kept(home: Home, run_id: str, drafted: Draft, prometheus: evidence.Signals) -> None:
    edited = drafted.postmortem_path.read_text() + "\nWhat we learned.\n"
    drafted.postmortem_path.write_text(edited)
    again = store.draft(home, run_id, prometheus=prometheus, clock=lambda: NOW)
    assert drafted.postmortem_path.read_text() == edited
    assert "was edited by a person and is kept" in again.message
    assert (drafted.incident_dir / store.DRAFT).exists()
    third = store.draft(home, run_id, prometheus=prometheus, clock=lambda: NOW)
    assert drafted.postmortem_path.read_text() == edited
    assert third.message


def test_what_a_person_wrote_into_a_second_draft_is_kept(home: Home, run_id: str, drafted: Draft, prometheus: evidence.Signals) -> None:
    drafted.postmortem_path.write_text(drafted.postmortem_path.read_text() + "\nWhat we learned.\n")
    store.draft(home, run_id, prometheus=prometheus, clock=lambda: NOW, template="short")
    second = drafted.incident_dir / store.DRAFT
    second.write_text(f"{second.read_text()}\nMine.\n")
    again = store.draft(home, run_id, prometheus=prometheus, clock=lambda: NOW)
    kept = drafted.incident_dir / "postmortem.draft.1.md"
    assert kept.read_text().endswith("\nMine.\n")
    assert str(kept) in again.message


def test_an_untouched_draft_is_replaced_silently(home: Home, run_id: str, drafted: Draft, prometheus: evidence.Signals) -> None:
    again = store.draft(home, run_id, prometheus=prometheus, clock=lambda: NOW)
    assert again.message == ""
    assert not (drafted.incident_dir / store.DRAFT).exists()


def test_an_unreadable_record_is_said_to_be_one(drafted: Draft) -> None:
    files.write_atomic(drafted.incident_dir / store.INCIDENT, b"header: 3\n")
    with pytest.raises(store.NoIncidentError, match="is not an incident"):
        check.findings(drafted.incident_dir)
