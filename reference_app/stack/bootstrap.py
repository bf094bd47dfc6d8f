"""Data of the stores: directories from one template, replication, schema, identity. Everything is done once and checked ever after.

`initialised.json` lists whose data was established, and by which schema. What it lists is never made anew in silence: an empty database
would deny tweets that were acknowledged.
"""

from __future__ import annotations

import asyncio
import os
import pwd
import shutil
import subprocess
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from reference_app.contract import storage
from reference_app.contract.topology import Component, Lab
from reference_app.kit import files
from reference_app.kit.home import Home
from reference_app.stack import errors, render, replication, servers

_ROOT_FROM_ANYWHERE = ("FLUSH PRIVILEGES", "CREATE USER root@'%'", "GRANT ALL PRIVILEGES ON *.* TO root@'%' WITH GRANT OPTION")


@dataclass(frozen=True)
class Initialised:
    """The content of `initialised.json`; `schema` is the `fingerprint` of the schema files by then."""

    components: list[str]
    schema: str


@dataclass(frozen=True)
class Shard:
    """A database: its primary and, when it is replicated, the replica."""

    name: str
    primary: Component
    replica: Component | None


def user_name() -> str:
    """Name of the user that runs this process: servers started by root must be told to stay root."""
    return pwd.getpwuid(os.getuid()).pw_name


def directory(home: Home, component: Component) -> Path:
    """Where a component keeps its data."""
    return home.data / component.name


def shards(lab: Lab) -> list[Shard]:
    """The databases of the lab."""
    names = dict.fromkeys(component.shard for component in lab.kind("mariadb"))
    return [Shard(name, *lab.shard(name)) for name in names]


def role_file(home: Home, member: Component) -> Path:
    """Options of a member of a pair that depend on its role."""
    return home.conf / f"{member.name}.cnf"


def write_role(home: Home, member: Component) -> None:
    """From its next start on the server has the role that the component says."""
    files.write_atomic(role_file(home, member), render.mariadb_role(member).encode(), durable=True)


def require_current_schema(home: Home) -> None:
    """Raises SchemaChangedError when the databases of this home were made by another schema than today's."""
    known = _initialised(home)
    if known.components and known.schema != replication.fingerprint():
        raise errors.SchemaChangedError(
            f"the databases below {home.data} were made by another version of the schema, and there are no migrations: "
            "start from nothing with `failwhale reset --yes`, which deletes all data, runs and incidents of this home"
        )


def prepare(home: Home, lab: Lab) -> None:
    """Before the stores start: make the directories that are not there. Raises DataVanishedError when one was there before."""
    for member in lab.kind("mariadb"):
        put_back(home, member)
    known = set(_initialised(home).components)
    vanished = [c.name for c in lab.components if c.name in known and not any_file(directory(home, c))]
    if vanished:
        raise errors.DataVanishedError(
            f"the data of {', '.join(vanished)} below {home.data} is gone, though this lab was initialised: "
            "put it back, or start from nothing with `failwhale reset --yes`"
        )
    for component in lab.components:
        if component.kind == "mariadb" and not directory(home, component).exists():
            provision(home, component)
        elif component.kind != "service":
            directory(home, component).mkdir(parents=True, exist_ok=True)


def aside(home: Home, member: Component) -> Path:
    """Where a restore keeps what a member held until it is decided."""
    return home.data / f".{member.name}.aside"


def put_back(home: Home, member: Component) -> None:
    """Of a member that does not run: take back what an interrupted restore did to it. One that became the primary keeps what it has."""
    kept = aside(home, member)
    if not kept.exists():
        return
    primary, _ = home.lab().shard(member.shard)
    if primary.name == member.name:
        shutil.rmtree(kept)
        return
    shutil.rmtree(directory(home, member), ignore_errors=True)
    kept.rename(directory(home, member))


def require_removable(home: Home, component: Component) -> None:
    """Raises StackError while its data directory is a mount point: what is in it could be deleted, it itself could not."""
    if os.path.ismount(directory(home, component)):
        raise errors.StackError(f"{component.name} is on a drill's small disk: `failwhale chaos undo` first")


def provision(home: Home, component: Component) -> None:
    """Give a stopped MariaDB an empty data directory; whatever it had is deleted. `establish` makes a database of it. Raises StackError."""
    require_removable(home, component)
    target, scratch = directory(home, component), home.data / f".{component.name}"
    for old in (scratch, target):
        if old.exists():
            shutil.rmtree(old)
    copied = subprocess.run(["cp", "-a", str(_template(home)), str(scratch)], capture_output=True, text=True, check=False)
    if copied.returncode != 0:
        raise errors.StackError(f"the data directory of {component.name} could not be made:\n{copied.stderr.strip()}")
    scratch.rename(target)


def establish(home: Home, lab: Lab, *, timeout_s: float, rebuilt: Iterable[str] = ()) -> None:
    """After the stores started: connect replicas, write schema and identity where they were never written, check them elsewhere.

    `rebuilt` names databases (`tweets-db-0`) that were provisioned again on purpose, so that their emptiness is no loss.
    """
    known = set(_initialised(home).components) - set(_members(lab, rebuilt))
    asyncio.run(_establish(lab, known, timeout_s))
    kept = [c.name for c in lab.components if c.kind in ("mariadb", "nats")]
    files.write_json(_record(home), Initialised(kept, replication.fingerprint()), durable=True)


async def _establish(lab: Lab, known: set[str], timeout_s: float) -> None:
    work = [replication.establish(s.primary, s.replica, lab.identity_key, fresh=s.primary.name not in known) for s in shards(lab)]
    try:
        async with asyncio.timeout(timeout_s):
            await asyncio.gather(*work)
    except TimeoutError:
        raise errors.ReplicationError(f"the databases were not connected within {timeout_s:g} s: see `failwhale logs NAME`") from None


def _members(lab: Lab, databases: Iterable[str]) -> Sequence[str]:
    wanted = set(databases)
    return [c.name for c in lab.kind("mariadb") if c.shard in wanted]


def _template(home: Home) -> Path:
    """An initialised, empty data directory that every instance is copied from."""
    template = home.data / "_template"
    if template.exists():
        return template
    scratch, grants = home.data / "._template", home.data / "._template.sql"
    home.data.mkdir(parents=True, exist_ok=True)
    shutil.rmtree(scratch, ignore_errors=True)
    grants.write_text("".join(f"{statement};\n" for statement in (*_ROOT_FROM_ANYWHERE, *replication.schema(storage.ACCOUNTS))))
    options = ("--auth-root-authentication-method=normal", "--innodb-log-file-size=16M", "--skip-test-db", "--skip-name-resolve")
    command = [
        servers.locate()["mariadb-install-db"],
        "--no-defaults",
        f"--user={user_name()}",
        f"--datadir={scratch}",
        f"--tmpdir={home.data}",
        *options,
    ]
    made = subprocess.run([*command, f"--extra-file={grants}"], capture_output=True, text=True, check=False)
    if made.returncode != 0:
        raise errors.StackError(f"mariadb-install-db failed: {made.stderr.strip() or made.stdout.strip()}")
    grants.unlink()
    scratch.rename(template)
    return template


def any_file(path: Path) -> bool:
    """True for a directory that holds something."""
    return path.is_dir() and any(path.iterdir())


def _record(home: Home) -> Path:
    return home.path / "initialised.json"


def _initialised(home: Home) -> Initialised:
    try:
        found = msgspec.json.decode(_record(home).read_bytes(), type=Initialised | list[str])
    except FileNotFoundError:
        return Initialised([], "")
    return found if isinstance(found, Initialised) else Initialised(found, "")  # a list alone: from before the schema was recorded
