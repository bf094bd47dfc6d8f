from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import msgspec

from chaos.audit import model, run
from chaos.audit.model import Activity, Observed, ObservedShard, Post, PostKey, Row
from reference_app.contract.topology import Lab

KEY = PostKey(1, "k")
DONE = Activity(0.0, {KEY: Post(KEY, acknowledged=True, ids=frozenset({5}))})
TWIN = Row(6, 1, "k", deleted=False, duplicate_of=None, shard=0)
ONCE = Row(5, 1, "k", deleted=False, duplicate_of=None, shard=0)


class Clock:
    """Time that passes only when somebody sleeps."""

    def __init__(self) -> None:
        self.now = 100.0

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def seen(*rows: Row) -> Observed:
    return Observed((ObservedShard(0, "primary", rows, complete=True, outbox_unpublished=0),), {}, {}, stream_pending=0)


def settled(states: Iterator[Observed], clock: Clock, settle_s: float = 12.0) -> model.Audit:
    return run.settled(DONE, lambda: next(states), settle_s=settle_s, monotonic=clock.monotonic, sleep=clock.sleep)


def test_a_clean_state_is_looked_at_once() -> None:
    clock = Clock()
    assert settled(iter([seen(ONCE)]), clock).clean
    assert clock.now == 100.0


def test_a_twin_that_is_tombstoned_within_the_settle_time_is_transient() -> None:
    tombstoned = replace(TWIN, deleted=True, duplicate_of=5)
    found = settled(iter([seen(ONCE, TWIN), seen(ONCE, TWIN), seen(ONCE, tombstoned)]), Clock())
    assert (found.duplicated, found.duplicated_transient, found.clean) == (0, 1, True)


def test_a_twin_that_stays_is_a_duplicate_when_the_settle_time_is_over() -> None:
    clock = Clock()
    found = settled(iter(lambda: seen(ONCE, TWIN), None), clock)
    assert found.duplicated == 1
    assert clock.now == 112.0


def test_a_backlog_is_waited_for() -> None:
    backlog = replace(seen(ONCE), stream_pending=3)
    assert settled(iter([backlog, seen(ONCE)]), Clock()).complete


def test_a_history_without_posts_is_incomplete_without_looking_at_the_lab(tmp_path: Path) -> None:
    lab = Lab(str(tmp_path), "none", 0, (), signing_key="", supervisor_password="")
    found = run.audit(lab, tmp_path / "history.ndjson")
    assert not found.complete
    assert (found.lost, found.missing_from_timelines, found.attempted) == (None, None, 0)


def test_the_audit_is_written_with_nulls_for_what_did_not_run(tmp_path: Path) -> None:
    run.write(tmp_path, settled(iter([seen(ONCE)]), Clock()))
    written = msgspec.json.decode((tmp_path / run.FILE).read_bytes())
    assert (written["lost"], written["stale"], written["resurrected"], written["complete"]) == (0, None, None, True)
