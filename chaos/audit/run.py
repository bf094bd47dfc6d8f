"""The audit of one run: history and stores compared, and looked at again while the app may still repair itself."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import msgspec

from chaos.audit import activity, checkers, observe, sightings
from chaos.audit.model import Activity, Audit, Observed
from chaos.audit.sightings import Sighting
from loadgen import history
from reference_app.contract import storage
from reference_app.contract.seed import Seed
from reference_app.contract.topology import Lab
from reference_app.kit import deciders, files
from reference_app.kit.home import Home

FILE = "audit.json"
"""Below the run directory."""
SETTLE_S = 12.0
"""The reconciler may take 10 s after a shard returned to tombstone a twin."""
_LOOK_EVERY_S = 1.0
_DELETED = "that deleted its tweets, so nothing of it can be audited any more"
_NOTHING = Observed(shards=(), followers=None, timelines=None, stream_pending=None)


def audit(lab: Lab, history_path: Path, *, witnessed: Sequence[Sighting] = (), settle_s: float = SETTLE_S) -> Audit:
    """Audit the run with this history, and what its witness saw, against the lab as it is now.

    Takes up to `settle_s` seconds while the stores are not clean.
    """
    done = activity.from_history(history.read(history_path))
    if not done.posts:
        return checkers.check(done, _NOTHING)
    if (seeded_at := _seeded_at(Home(Path(lab.home)))) > done.since:
        return checkers.check(
            done, replace(_NOTHING, reasons=(f"the lab was seeded {seeded_at - done.since:.0f} s after this run began: {_DELETED}",))
        )
    authors = {post.user_id for post in done.posts}
    over = storage.merged_over(deciders.read(Home(Path(lab.home)).deciders_file)["celebrity_followers"])
    stored = settled(done, lambda: observe.observe(lab, since=done.since, authors=authors, celebrity_over=over), settle_s=settle_s)
    return sightings.judged(stored, witnessed)


def settled(
    done: Activity,
    look: Callable[[], Observed],
    *,
    settle_s: float,
    monotonic: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> Audit:
    """The first clean audit, or the last one when `settle_s` seconds are over."""
    limit = monotonic() + settle_s
    while True:
        found = checkers.check(done, look())
        if found.clean or monotonic() >= limit:
            return found
        sleep(_LOOK_EVERY_S)


def _seeded_at(home: Home) -> float:
    """Unix seconds; 0 when nobody knows."""
    try:
        return msgspec.json.decode(home.seed_file.read_bytes(), type=Seed).seeded_at
    except FileNotFoundError:
        return 0.0


def write(run_directory: Path, found: Audit) -> None:
    """Leave the audit in the run directory."""
    files.write_json(run_directory / FILE, found)
