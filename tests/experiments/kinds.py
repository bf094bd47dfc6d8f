"""One sample of every kind of fault, on components of the small lab; a kind without one fails a test. Preparations come before their fault."""

from __future__ import annotations

import typing
from collections.abc import Callable, Mapping

from chaos.actions import data as backups
from chaos.faults import caches, config, data, disk, messages, resources, rings
from chaos.faults.application import UserFault
from chaos.faults.base import UnavailableError
from chaos.faults.caches import FlushCache
from chaos.faults.change import BadConfig, Restart
from chaos.faults.databases import ExhaustConnections, HangWrites, LockTable, ReadOnly, SlowQueries, StopReplica
from chaos.faults.disk import DiskFull
from chaos.faults.families import AnyFault
from chaos.faults.limits import DeleteLimits, SetLimits
from chaos.faults.network import Blackhole, Loss, Partition, Refuse, SynDrop
from chaos.faults.process import CrashLoop, Kill, KillAndHold, Pause
from chaos.faults.resources import CpuBurn, CpuQuota, MemoryLimit
from chaos.faults.rings import RingChange, SetRing
from chaos.faults.toxics import Spoil
from chaos.faults.traffic import HotKey
from chaos.proxy.toxics import Attributes, Toxic
from reference_app.kit import limits
from reference_app.kit.home import Home

CACHES = "timeline-cache"
LIMITS = {limits.POSTS: 1000}
LATENCY = (Toxic("latency", attributes=Attributes(latency=150)),)

Recipe = Callable[[Home], tuple[AnyFault, ...]]


def of_family() -> set[str]:
    """The tag of every fault that `chaos.faults.families` lists."""
    return {str(fault.__struct_config__.tag) for fault in typing.get_args(AnyFault)}


def why_not(faults: tuple[AnyFault, ...]) -> str:
    """What of it this machine cannot do; empty when it can all."""
    try:
        for fault in faults:
            fault.available()
    except UnavailableError as error:
        return str(error)
    return ""


def one(*faults: AnyFault) -> Recipe:
    return lambda _: faults


def _deletion(home: Home) -> tuple[AnyFault, ...]:
    backups.take_backup("tweets-db-1")
    return (data.deletion(home, "tweets-db-1-primary", "tweets"),)


def _ring_change(home: Home) -> tuple[AnyFault, ...]:
    former, nodes = rings.wanted(home, CACHES, remove=["timeline-cache-1"])
    return (RingChange(CACHES, nodes, former, former),)


def _delete_limits(home: Home) -> tuple[AnyFault, ...]:
    """Of limits that are there already, and stay; `heal` takes them away."""
    limits.write(home.limits_file, LIMITS)
    return (DeleteLimits("gateway-0", former=LIMITS),)


def _set_ring(home: Home) -> tuple[AnyFault, ...]:
    former, nodes = rings.wanted(home, CACHES, remove=["timeline-cache-0"])
    return (SetRing(CACHES, nodes, former, former),)


RECIPES: Mapping[str, Recipe] = {
    "kill": one(Kill("keyvalue-0")),
    "kill_and_hold": one(KillAndHold("tweets-db-0-primary")),
    "pause": one(Pause("timeline-cache-0")),
    "crash_loop": one(CrashLoop("search-0", every_s=1.0)),
    "refuse": one(Refuse("events-0")),
    "blackhole": one(Blackhole("tweets-db-0-primary")),
    "loss": one(Loss("tweet-cache-0", percent=50)),
    "syn_drop": one(SynDrop("tweets-0")),
    "partition": one(Partition(("timelines-0",), ("graph-0",))),
    "spoil": one(Spoil("users-0", toxics=LATENCY)),
    "flush_cache": one(FlushCache("tweet-cache-0")),
    "eviction_storm": lambda home: (caches.eviction_storm(home, "tweet-cache-0", 1 << 20),),
    "starve_cache": lambda home: (caches.starvation(home, "tweet-cache-0"),),
    "lock_table": one(LockTable("graph-db-0", table="followees")),
    "slow_queries": one(SlowQueries("graph-db-0", table="followees")),
    "hang_writes": one(HangWrites("tweets-db-1-primary")),
    "exhaust_connections": one(ExhaustConnections("users-db-0")),
    "stop_replica": one(StopReplica("tweets-db-0-replica", thread="io")),
    "read_only": one(ReadOnly("tweets-db-1-primary")),
    "delete_without_where": _deletion,
    "small_disk": lambda _: (disk.small_disk("tweets-db-0-primary", room_mib=32),),
    "disk_full": lambda _: (disk.small_disk("tweets-db-1-primary", room_mib=32), DiskFull("tweets-db-1-primary")),
    "user_fault": one(UserFault(("tweets-0",), percent=20)),
    "poison_message": lambda home: (messages.poison(home, "events-0", count=2, token="doomed"),),
    "cpu_quota": one(CpuQuota("timelines-0", percent=20)),
    "memory_limit": one(MemoryLimit("users-0", limit_mib=32)),
    "few_descriptors": lambda home: (resources.few_descriptors(home, "gateway-0"),),
    "cpu_burn": one(CpuBurn(workers=2)),
    "restart": one(Restart(("graph-0", "users-0"), pause_s=5.0)),
    "bad_config": one(BadConfig("tweets-0")),
    "ring_change": _ring_change,
    "set_ring": _set_ring,
    "set_limits": one(SetLimits(LIMITS)),
    "delete_limits": _delete_limits,
    "hot_key": one(HotKey("tweet-cache-0", per_s=20, tweet=1, reader=1)),
    "flip_decider": lambda home: (config.flip(home, "tweets-0", "breakers", 0),),
    "set_decider": lambda home: (config.setting(home, "replica_reads", 0),),
}
