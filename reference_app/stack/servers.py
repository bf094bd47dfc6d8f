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


def locate(path: str | None = None) -> dict[str, str]:
    """Binary -> its absolute path; /usr/sbin and /sbin are searched too. Raises MissingServersError with all that are missing."""
    searched = os.pathsep.join(((path if path is not None else os.environ.get("PATH", "")), "/usr/sbin", "/sbin"))
    found = {name: shutil.which(name, path=searched) for name in PACKAGES}
    missing = {name: PACKAGES[name] for name, where in found.items() if where is None}
    if missing:
        raise errors.MissingServersError(missing)
    return {name: where for name, where in found.items() if where is not None}
