"""Finds the knee of the running lab: loads of some seconds and one that is held, judged by the objectives as users see them, the result kept for this machine."""

from __future__ import annotations

import math
import shutil
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from failwhale.bench import measure
from loadgen import plans, recording, runner
from loadgen.model import presets
from loadgen.model.knee import Knee, Outcome, Stair, Step, found, next_step
from loadgen.model.presets import Preset
from loadgen.report import Load, PhaseReport
from reference_app.contract import metrics
from reference_app.contract import plan as contract
from reference_app.contract import topology as topologies
from reference_app.kit import files
from reference_app.kit.home import Home
from reference_app.query import slo
from reference_app.query.prometheus import Prometheus, PrometheusUnreachableError

SCHEMA, FILE = "failwhale/knee/v1", "knee.json"
"""Below the home."""
PRESET, MEASURED = presets.PLATEAU, "before"
LEAD_S, SECONDS = plans.LEAD_S, {"warmup": 1.0, "baseline": 0.0, "ramp": 1.0, MEASURED: 8.0, "fault": 0.0, "after": 0.0, "decay": 0.0}
HELD_S = 60.0
SCRAPED_S, QUIET_S = 2.0, 30.0
"""What happened before this has been scraped; what a stair left behind is waited for as long."""
MERGED_LATER = f'{metrics.DELIVERIES.name}{{result="celebrity"}}'
"""Tweets of celebrities: nobody pushes them, so that nobody measures how long it took."""
LEFT_BEHIND = f"sum({metrics.OUTBOX_UNPUBLISHED.name}) + sum({metrics.STREAM_PENDING.name})"
PEAK_OF_KNEE = 0.6
"""A drill that brings no load of its own is not to go beyond this share of the knee, or it would break what it is to measure."""
LATENCY_MS = 500.0
"""What home-latency and post-latency in contract/slo.yaml want of 99 % of the answers; here from the intended start of a request."""
ERRORS_MAX, COMPLETE_MIN, DELIVERED_MIN = 0.001, 0.99, 0.99
"""Objectives of availability, completeness and delivery (within 5 s) in contract/slo.yaml."""


class UnknownKneeError(Exception):
    """It was not measured on this machine with this topology, or nothing met the objectives."""


@dataclass(frozen=True)
class Kept:
    """Content of `knee.json`. `share` is of the preset's rates; None when no stair met the objectives."""

    schema: str
    at: str
    cpu: str
    cores: int
    topology: str
    preset: str
    share: float | None
    requests_per_s: float | None
    limited_by: str
    reasons: tuple[str, ...]
    stairs: tuple[Stair, ...]


def known(home: Home, topology: str) -> Kept | None:
    """What was found on a machine of this kind for a lab of that topology; None when nothing was."""
    try:
        kept = msgspec.json.decode((home.path / FILE).read_bytes(), type=Kept)
    except (FileNotFoundError, msgspec.DecodeError):
        return None
    here = measure.machine()
    return kept if (kept.cpu, kept.cores, kept.topology) == (here.cpu, here.cores, topology) else None


def share_of(home: Home, preset: Preset, part: float) -> float:
    """The share of the preset's rates whose peak is so much of the knee's requests a second. Raises UnknownKneeError, ValueError."""
    if not 0 < part < math.inf:
        raise ValueError(f"a share of the knee is a number above zero, for example 0.6, not {part:g}")
    kept = known(home, home.lab().topology)
    if kept is None or kept.requests_per_s is None:
        raise UnknownKneeError(f"the knee of the lab at {home.path} is not known on this machine: run `failwhale load knee` first")
    return round(part * kept.requests_per_s / _peak(preset), 4)


def cap(home: Home, topology: str, preset: Preset) -> float | None:
    """The share of the preset's rates whose peak is 0.6 of the knee; None where a lab gets less anyway, or the knee is not known."""
    kept = known(home, topology)
    if kept is None or kept.requests_per_s is None:
        return None
    share = round(PEAK_OF_KNEE * kept.requests_per_s / _peak(preset), 4)
    return share if share < topologies.load_of(topology) else None


def find(home: Home, say: Callable[[str], None]) -> Kept:
    """Climb, look between, hold; four minutes, or nine where nothing holds. A knee that was found is kept."""
    stairs: list[Stair] = []
    while (step := next_step(stairs)) is not None:
        _await_quiet(home)
        stairs.append(_stair(home, step))
        say(f"{'held' if step.held else 'stair'} {len(stairs)}: {describe(stairs[-1])}")
    kept = _kept(home, found(stairs), stairs)
    if kept.share is not None:
        files.write_json(home.path / FILE, kept)
    return kept


def describe(stair: Stair) -> str:
    """In words."""
    told = "; ".join(stair.reasons)
    return f"{stair.share:g} of {PRESET.name}, {stair.share * _peak(PRESET):.0f} requests/s: {stair.outcome}{f' ({told})' if told else ''}"


def judged(load: Load, delivered: float | None) -> tuple[Outcome, tuple[str, ...]]:
    """What is to be said of a stair. `delivered` is the share of the acknowledged tweets that were on timelines in time, None when nobody knows."""
    if not load.valid:
        return "invalid", tuple(load.invalid_reasons)
    if delivered is None:
        return "invalid", ("Prometheus does not answer, so it is not known how late tweets were delivered",)
    missed = tuple(_missed(load.phases[MEASURED], delivered))
    return ("misses" if missed else "meets"), missed


def _missed(seen: PhaseReport, delivered: float) -> list[str]:
    slow = {name: count.latency_ms.p99 or 0.0 for name, count in (("home", seen.home), ("post", seen.post))}
    pages, requests = seen.pages_complete + seen.pages_partial, seen.requests
    told = [f"{name} p99 {p99:.0f} ms, allowed {LATENCY_MS:.0f}" for name, p99 in slow.items() if p99 > LATENCY_MS]
    if requests.errors > ERRORS_MAX * requests.sent:
        told.append(f"{requests.errors} of {requests.sent} requests failed")
    if seen.pages_complete < COMPLETE_MIN * pages:
        told.append(f"{seen.pages_partial} of {pages} pages were partial")
    if delivered < DELIVERED_MIN:
        told.append(f"{delivered:.1%} of the tweets were delivered in time")
    return told


def _await_quiet(home: Home) -> None:
    """What one load left in outbox and stream would be late on account of the next."""
    prometheus, deadline = Prometheus(home.lab().prometheus_url), time.monotonic() + QUIET_S
    while time.monotonic() < deadline:
        try:
            if not any(sample.value for sample in prometheus.instant(LEFT_BEHIND)):
                return
        except PrometheusUnreachableError:
            return
        time.sleep(1)


def _stair(home: Home, step: Step) -> Stair:
    phases = contract.phases(SECONDS | ({MEASURED: HELD_S} if step.held else {}))
    run_dir = plans.create(home, preset=PRESET.name, seed=1, now=time.time(), phases=phases, lead_s=LEAD_S, load=step.share)
    try:
        if told := _driven(home, run_dir):
            return Stair(step.share, "invalid", (told,), held=step.held)
        load = recording.report_of(run_dir).load
        return Stair(step.share, *judged(load, _delivered(home, plans.read(run_dir).t0, load.acknowledged)), held=step.held)
    finally:
        shutil.rmtree(run_dir)


def _driven(home: Home, run_dir: Path) -> str:
    """Why the generator could not begin or go on; empty when it ran to its end."""
    generator = runner.start(home, run_dir)
    try:
        while generator.poll() is None:
            time.sleep(0.1)
    finally:
        generator.stop()
    return runner.ending(generator, run_dir) if generator.poll() else ""


def _delivered(home: Home, since: float, acknowledged: int) -> float | None:
    """Of the tweets that are pushed to followers; one that is under way still is late."""
    (delivery,) = (one for one in slo.read() if one.name == "delivery-latency")
    time.sleep(SCRAPED_S)
    prometheus, until = Prometheus(home.lab().prometheus_url), time.time()
    try:
        good, merged = (prometheus.increase(selector, since, until) for selector in (delivery.good_selector, MERGED_LATER))
    except PrometheusUnreachableError:
        return None
    pushed = acknowledged - merged
    return min(1.0, good / pushed) if pushed > 0 else 1.0


def _kept(home: Home, knee: Knee, stairs: Sequence[Stair]) -> Kept:
    here = measure.machine()
    rate = None if knee.share is None else round(knee.share * _peak(PRESET), 1)
    return Kept(
        SCHEMA,
        here.at,
        here.cpu,
        here.cores,
        home.lab().topology,
        PRESET.name,
        knee.share,
        rate,
        knee.limited_by,
        knee.reasons,
        tuple(stairs),
    )


def _peak(preset: Preset) -> float:
    """Requests a second at the height of the event."""
    return preset.reads.peak + preset.posts.peak
