"""Deciders: run-time switches, an integer from 0 (off) to 10,000 (on) per feature, polled and never deployed (Krikorian; tweetypie's `Gate`).

Most are probabilities in units of 1/10,000; the ones that are numbers say so in `DECIDERS`.

The file is shared by all processes of a lab; an absent name, or a file that is gone or broken, means the default.
"""

from __future__ import annotations

import contextlib
import logging
import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import msgspec

from reference_app.contract import keyvalue
from reference_app.contract.profile import LAB
from reference_app.kit import changes, files
from reference_app.kit.home import Home

logger = logging.getLogger(__name__)

ON, OFF = 10_000, 0
POLL_SECONDS = 0.2


@dataclass(frozen=True)
class Decider:
    """A switch: its value when nobody set one, and what it does."""

    default: int
    meaning: str


def _quotas() -> dict[str, Decider]:
    meaning = "a number: keys a second and process that {} may {}"
    reads = {keyvalue.quota(t.name, "reads"): Decider(t.reads, meaning.format(t.name, "read")) for t in keyvalue.TENANTS.values()}
    writes = {keyvalue.quota(t.name, "writes"): Decider(t.writes, meaning.format(t.name, "write")) for t in keyvalue.TENANTS.values()}
    return reads | writes


DECIDERS = {
    "replica_reads": Decider(ON, "reads of a tweet, user or edge whose primary does not answer go to the replica"),
    "outbox_relay": Decider(ON, "what posts committed is published; off, it waits in the outbox and nobody hears of it"),
    "tweet_cache": Decider(ON, "tweets are read from and kept in the tweet caches"),
    "tweet_cache_ttl": Decider(
        int(LAB.tweet_cache_ttl), "a number: seconds for which the tweet caches keep a tweet that is not refreshed, +-10 %"
    ),
    "cold_single_flight": Decider(ON, "a tweet that no cache has is read from its shard once for all who wait for it in one process"),
    "cold_gathering": Decider(ON, "tweets to be read from a shard that is busy wait and leave together in one batch"),
    "independent_ejection": Decider(OFF, "a process that fails to reach a tweet cache leaves it out of its own ring for a while"),
    "soft_ttl": Decider(ON, "cached tweets are refreshed aside before they expire"),
    "lease_gets": Decider(ON, "of all who miss a tweet in its cache one reads and fills, the others wait; a late fill is refused"),
    "negative_cache": Decider(ON, "that there is no such tweet is remembered, the longer the older it would be"),
    "hot_keys": Decider(ON, "tweets that are read very often are kept in the process for 2 s"),
    "simulated_cold_store": Decider(
        OFF, "a number: slots of the SIMULATED read-only pool in which each cold batch holds one for 20 ms; 0: no such device"
    ),
    "simulated_page_workers": Decider(
        OFF, "a number: workers of the SIMULATED pool, one of which each home page holds for 100 ms; 0: no such device"
    ),
    "hindsight": Decider(ON, "what is not sampled is noted, and exported when something in its trace was an edge case"),
    "request_faults": Decider(OFF, "requests get the fault that their header X-Failwhale-Fault asks for; 0: the header is ignored"),
    "trace_sampling": Decider(100, "requests whose spans are recorded, decided once at the gateway"),
    "celebrity_followers": Decider(1000, "a number: authors with more followers are not fanned out but merged at read"),
    "automatic_promotion": Decider(OFF, "the prober replaces a primary that refuses connections for some seconds by its replica"),
    "automatic_restart": Decider(OFF, "the prober restarts a cache that does not answer it for some seconds"),
    "gateway_concurrency": Decider(512, "a number: requests under way in one gateway, beyond which it sheds"),
    "shed_by_class": Decider(ON, "the gateway sheds what matters least first; off, every request may fill all of its concurrency"),
    "shed_reads": Decider(OFF, "reads that the gateway refuses of its own accord, to leave room for posts"),
    "daily_limits": Decider(OFF, "users may post so many times a day, as the limits file says"),
    "limits_fail_open": Decider(ON, "a daily limit that nobody knows is none; off, it is zero, and everybody is over it"),
    "retries": Decider(2, "a number: 0 nothing is tried again, 1 naively, at every layer and without a limit, 2 within a retry budget"),
    "attempt_timeout": Decider(OFF, "a number: milliseconds that one attempt of a read may take; 0: all the time that its call has"),
    "breakers": Decider(ON, "breakers open; off, everything that fails is called all the same"),
    "nack_admission": Decider(ON, "a client whose callee refuses most of its calls drops some of them itself"),
    "service_concurrency": Decider(LAB.service_concurrency, "a number: requests worked on at once in one service behind the gateway"),
    "refuse_expired": Decider(ON, "requests whose caller waits no more are refused when they come; off, they are only counted"),
    "configuration_guard": Decider(ON, "a service refuses to start with a configuration that cannot be meant; off, it starts"),
    "warm_up_gate": Decider(ON, "a service that has just started is ready only when its dependencies answer"),
    "ring_guard": Decider(
        ON, "a ring takes in or gives up one cache, or a quarter of them, at a time; off, as many at once as somebody says"
    ),
    "keyvalue_quotas": Decider(ON, "tenants of the key-value tier are held to their quotas"),
    "keyvalue_bulkheads": Decider(ON, "tenants of the key-value tier have connections of their own instead of common ones"),
    **_quotas(),
}
"""Every decider there is."""


def defaults() -> dict[str, int]:
    """Every decider with its value when nobody set one."""
    return {name: decider.default for name, decider in DECIDERS.items()}


def read(path: Path) -> dict[str, int]:
    """Values in force: the defaults overlaid by the file. Whoever loses or breaks the file must not lose the service: then there are the defaults."""
    try:
        stored = msgspec.json.decode(path.read_bytes(), type=dict[str, int])
    except FileNotFoundError:
        stored = {}
    except msgspec.DecodeError as error:
        logger.warning("%s is broken, so every decider has its default: %s", path, error)
        stored = {}
    return defaults() | stored


def write(home: Home, name: str, value: int, *, by: str) -> None:
    """Set one decider and record the change. Raises ValueError for an unknown name or a value outside 0..10000."""
    if name not in DECIDERS:
        raise ValueError(f"no decider {name!r}; there are {', '.join(sorted(DECIDERS))}")
    if not OFF <= value <= ON:
        raise ValueError(f"decider {name}: {value} is outside of {OFF}..{ON}")
    with files.locked(home.deciders_file.with_suffix(".lock")):
        former = read(home.deciders_file)
        files.write_json(home.deciders_file, former | {name: value})
    if former[name] != value:
        changes.record(home, changes.Change(time.time(), "decider", name, str(former[name]), str(value), by))


class Deciders:
    """A process's view of the file, read again when it is older than 200 ms. One that cannot be opened changes nothing."""

    def __init__(self, path: Path, *, monotonic: Callable[[], float] = time.monotonic, rng: random.Random | None = None) -> None:
        self._path, self._monotonic, self._rng = path, monotonic, rng or random.Random()
        self._values, self._read_at = defaults(), float("-inf")

    def on(self, name: str) -> bool:
        """Draw once: True with probability value / 10000."""
        value = self.value(name)
        return value >= ON or (value > OFF and self._rng.randrange(ON) < value)

    def value(self, name: str) -> int:
        """The value in force."""
        now = self._monotonic()
        if now - self._read_at >= POLL_SECONDS:
            self._read_at = now
            with contextlib.suppress(OSError):  # no descriptor is free, or so: no reason to fail requests
                self._values = read(self._path)
        return self._values[name]
