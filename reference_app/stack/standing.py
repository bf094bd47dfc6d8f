"""How each database of a lab stands: who is its primary, whether it takes writes, whether its replica follows. What is not known is None."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

from asyncmy.errors import MySQLError

from reference_app.contract.topology import Component, Lab
from reference_app.kit.home import Home
from reference_app.stack import bootstrap, mariadb

ANSWER_S = 1.0


@dataclass(frozen=True)
class Standing:
    """`takes_writes`: the primary answers, is not read-only and, where there is a replica, somebody acknowledges. `position` is its last GTID."""

    shard: str
    primary: str
    replica: str | None
    takes_writes: bool
    follows: bool | None
    lag_s: float | None
    position: str

    @property
    def well(self) -> bool:
        return self.takes_writes and self.follows is not False


def of_all(home: Home) -> list[Standing]:
    """All databases, in the order of the topology."""
    return asyncio.run(_of_all(home.lab()))


async def _of_all(lab: Lab) -> list[Standing]:
    return list(await asyncio.gather(*(_of(shard) for shard in bootstrap.shards(lab))))


async def _of(shard: bootstrap.Shard) -> Standing:
    told, status = await asyncio.gather(_primary(shard.primary, paired=shard.replica is not None), _replica(shard.replica))
    takes_writes, position = told or (False, "")
    lag = (status or {}).get("Seconds_Behind_Master")
    return Standing(
        shard=shard.name,
        primary=shard.primary.name,
        replica=shard.replica.name if shard.replica else None,
        takes_writes=takes_writes,
        follows=None if status is None else status.get("Master_Port") == shard.primary.port and _runs(status),
        lag_s=None if lag is None else float(lag),
        position=position,
    )


async def _primary(component: Component, *, paired: bool) -> tuple[bool, str] | None:
    try:
        async with asyncio.timeout(ANSWER_S), mariadb.connected(component) as server:
            acknowledged = not paired or await server.acknowledging_replicas() > 0
            return acknowledged and not await server.value("@@read_only"), await server.position()
    except (TimeoutError, MySQLError, OSError):
        return None


async def _replica(component: Component | None) -> dict[str, Any] | None:
    """None where there is no replica; empty for one that does not answer or follows nobody."""
    if component is None:
        return None
    try:
        async with asyncio.timeout(ANSWER_S), mariadb.connected(component) as server:
            return await server.replica_status()
    except (TimeoutError, MySQLError, OSError):
        return {}


def _runs(status: dict[str, Any]) -> bool:
    return status.get("Slave_IO_Running") == "Yes" and status.get("Slave_SQL_Running") == "Yes"
