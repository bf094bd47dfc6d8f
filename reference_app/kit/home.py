"""Where a lab keeps its things: everything it writes is below one home directory (`var/` of the checkout unless `FAILWHALE_HOME` says otherwise)."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import msgspec

from reference_app.contract.topology import Lab
from reference_app.kit import roles

HOME_VARIABLE = "FAILWHALE_HOME"
MARK_VARIABLE = "FAILWHALE_LAB"
"""Carried, with the home as its value, by every process that a lab starts: `up` and `down` end exactly these."""
REPOSITORY = Path(__file__).resolve().parents[2]


class NoLabError(Exception):
    """There is no `lab.json` that can be read: mostly, the lab was never started here."""


@dataclass(frozen=True)
class Home:
    """Paths below a lab's home directory. Nothing is created by naming it."""

    path: Path

    @classmethod
    def from_environment(cls) -> Home:
        """The home that `FAILWHALE_HOME` names, else `var/` of this checkout."""
        return cls(Path(os.environ.get(HOME_VARIABLE) or REPOSITORY / "var").resolve())

    @property
    def lab_file(self) -> Path:
        return self.path / "lab.json"

    @property
    def roles_file(self) -> Path:
        """Who is the primary of each shard that was ever promoted (kit.roles)."""
        return self.path / "roles.json"

    @property
    def rings_file(self) -> Path:
        """Which caches are in the ring of each group whose ring was ever changed (kit.membership)."""
        return self.path / "rings.json"

    @property
    def limits_file(self) -> Path:
        """What users may do how often a day, where somebody said so (kit.limits)."""
        return self.path / "limits.json"

    @property
    def backups(self) -> Path:
        return self.path / "backups"

    @property
    def seed_file(self) -> Path:
        return self.path / "seed.json"

    @property
    def logs(self) -> Path:
        return self.path / "log"

    @property
    def data(self) -> Path:
        return self.path / "data"

    @property
    def conf(self) -> Path:
        return self.path / "conf"

    def configuration_file(self, component: str) -> Path:
        """Of one service (kit.settings); it need not have one."""
        return self.conf / f"{component}.json"

    @property
    def deciders_file(self) -> Path:
        return self.path / "run" / "deciders.json"

    @property
    def changes_file(self) -> Path:
        """Every change that somebody made to the running lab, one JSON line each (kit.changes)."""
        return self.path / "changes.ndjson"

    @property
    def traces(self) -> Path:
        """Parquet segments of spans (contract.spans), written by the collector."""
        return self.path / "traces"

    @property
    def request_faults_file(self) -> Path:
        """For which users a fault is meant (kit.slices)."""
        return self.path / "run" / "request_faults.json"

    @property
    def failpoints_file(self) -> Path:
        return self.path / "run" / "failpoints.json"

    @property
    def chaos(self) -> Path:
        return self.path / "chaos"

    @property
    def runs(self) -> Path:
        return self.path / "runs"

    @property
    def incidents(self) -> Path:
        return self.path / "incidents"

    @property
    def benchmarks(self) -> Path:
        return self.path / "bench"

    @property
    def gamedays(self) -> Path:
        return self.path / "gamedays"

    def lab(self) -> Lab:
        """The lab that `failwhale up` laid out here, with the roles of now; NoLabError when there is none."""
        try:
            laid_out = msgspec.json.decode(self.lab_file.read_bytes(), type=Lab)
            return laid_out.with_primaries(roles.read(self.roles_file))
        except FileNotFoundError:
            raise NoLabError(f"no lab at {self.path}: run `failwhale up` first") from None
        except msgspec.DecodeError as error:
            raise NoLabError(
                f"{self.lab_file}, or {self.roles_file.name} beside it, cannot be read ({error}): mend it, or delete {self.lab_file.name}, "
                "after which `failwhale down` still ends every process of this home"
            ) from error
