"""The server binaries a lab needs, and which apt package brings them."""

from __future__ import annotations

import os
import shutil

from reference_app.stack import errors

PACKAGES = {
    "mariadbd": "mariadb-server-core",
    "mariadb-install-db": "mariadb-server-core",
    "my_print_defaults": "mariadb-client-core",
    "redis-server": "redis-server",
    "nats-server": "nats-server",
    "prometheus": "prometheus",
    "prometheus-alertmanager": "prometheus-alertmanager",
    "taskset": "util-linux",
    "setsid": "util-linux",
}
EDGE_PACKAGES = {"haproxy": "haproxy"}
"""Needed by a lab that has an edge."""

CLIENT_PACKAGE = "mariadb-client"
"""Brings `mariadb`, `mariadb-dump` and `mariadb-binlog`, which backups and restores need."""


def client(program: str) -> str:
    """Absolute path of a MariaDB client. Raises MissingServersError when it is not installed."""
    found = shutil.which(program)
    if found is None:
        raise errors.MissingServersError({program: CLIENT_PACKAGE})
    return found


def locate(path: str | None = None, *, edge: bool = False) -> dict[str, str]:
    """Binary -> its absolute path; /usr/sbin and /sbin are searched too. Raises MissingServersError with all that are missing."""
    packages = PACKAGES | EDGE_PACKAGES if edge else PACKAGES
    searched = os.pathsep.join(((path if path is not None else os.environ.get("PATH", "")), "/usr/sbin", "/sbin"))
    found = {name: shutil.which(name, path=searched) for name in packages}
    missing = {name: packages[name] for name, where in found.items() if where is None}
    if missing:
        raise errors.MissingServersError(missing)
    return {name: where for name, where in found.items() if where is not None}
