"""What chaos has in force at this moment: the object of `failwhale chaos status --json`."""

from __future__ import annotations

from dataclasses import dataclass

from chaos import halt, undo
from reference_app.kit import lease
from reference_app.kit.home import Home

SCHEMA = "failwhale/chaos-status/v1"


@dataclass(frozen=True)
class Active:
    """`since` and `lease_until` are Unix seconds; without a lease (None) the fault is a leftover that nobody watches."""

    fault: str
    components: tuple[str, ...]
    since: float
    lease_until: float | None
    run_id: str


@dataclass(frozen=True)
class Status:
    """`unreadable` are sentences on undo records that nobody can execute: what they would take back may be in force."""

    schema: str
    active: tuple[Active, ...]
    halted: bool
    reason: str | None
    unreadable: tuple[str, ...] = ()


def read(home: Home) -> Status:
    """Faults whose undo is pending, and whether chaos is halted."""
    held, halted = lease.read(home.chaos), halt.read(home.chaos)
    return Status(
        schema=SCHEMA,
        active=tuple(_active(record, held) for record in undo.pending(home)),
        halted=halted is not None,
        reason=halted.reason if halted else None,
        unreadable=tuple(map(str, undo.unreadable(home))),
    )


def _active(record: undo.Record, held: lease.Lease | None) -> Active:
    until = held.expires_at if held is not None and held.run_id == record.run_id else None
    return Active(record.fault.kind, record.fault.components, record.written_at, until, record.run_id)
