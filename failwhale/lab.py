"""The list of programs of a lab, and the layout that `lab.json` keeps."""

from __future__ import annotations

import os
import secrets
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from reference_app.contract.topology import DEFAULT_PORT_BASE, PORTS_PER_LAB, SMALL, TOPOLOGIES, Component, Kind, Lab, Topology, components
from reference_app.kit import files, roles
from reference_app.kit.home import Home
from reference_app.stack import bootstrap, edge, errors, program, render
from reference_app.stack.program import Program

PORT_BASE_VARIABLE = "FAILWHALE_PORT_BASE"
PORT_BASES = range(1024, 65536 - PORTS_PER_LAB + 1)
STORES, SERVICES, LAST = range(3)
"""Waves. The prober comes last, so that it does not report what is merely starting, and the edge, which would take the gateways for dead."""


def laid_out(home: Home, environment: Mapping[str, str], topology: str | None = None) -> Lab:
    """The lab of this home: kept secrets, ports from `FAILWHALE_PORT_BASE`, else as before, else 18000. Nothing is written.

    Raises TopologyError when there is no such topology, or the home has another one, and StackError when the ports are none.
    """
    wanted = environment.get(PORT_BASE_VARIABLE)
    known = home.lab() if home.lab_file.exists() else None
    base = _port_base(wanted) if wanted else known.port_base if known else DEFAULT_PORT_BASE
    layout = _topology(home, topology, known)
    return Lab(
        home=str(home.path),
        topology=layout.name,
        port_base=base,
        components=components(layout, base),
        signing_key=known.signing_key if known else secrets.token_hex(32),
        supervisor_password=known.supervisor_password if known else secrets.token_hex(16),
    )


def _port_base(wanted: str) -> int:
    if not wanted.isdecimal() or int(wanted) not in PORT_BASES:
        raise errors.StackError(
            f"{PORT_BASE_VARIABLE} is {wanted!r}: give the first of {PORTS_PER_LAB} ports, a number from {PORT_BASES[0]} to {PORT_BASES[-1]}"
        )
    return int(wanted)


def _topology(home: Home, wanted: str | None, known: Lab | None) -> Topology:
    name = wanted or (known.topology if known else SMALL.name)
    if name not in TOPOLOGIES:
        raise errors.TopologyError(f"there is no topology {name!r}; there are {', '.join(TOPOLOGIES)}")
    if known is not None and known.topology != name:
        raise errors.TopologyError(
            f"{home.path} holds a lab of the topology {known.topology}: run `failwhale reset --yes`, which deletes it, "
            f"or choose another home for {name}: FAILWHALE_HOME=DIRECTORY"
        )
    return TOPOLOGIES[name]


def save(home: Home, lab: Lab) -> None:
    """Write `lab.json`, readable by its owner only."""
    files.write_json(home.lab_file, lab, mode=0o600, durable=True)


def programs(home: Home, lab: Lab, servers: Mapping[str, str]) -> tuple[Program, ...]:
    """Every process of the lab; `servers` maps binaries to their paths."""
    under_test, tools = cores(sorted(os.sched_getaffinity(0)))
    return tuple(
        Program(
            name=component.name,
            kind=component.kind,
            argv=(*_pinned(tools if component.tool else under_test, servers["taskset"]), *_argv(home, component, servers)),
            port=component.port,
            wave=_wave(component),
        )
        for component in sorted(lab.components, key=_wave)
    )


def supervisord(home: Home, servers: Mapping[str, str]) -> tuple[str, ...]:
    """Command line of the lab's supervisord."""
    _, tools = cores(sorted(os.sched_getaffinity(0)))
    return (*_pinned(tools, servers["taskset"]), sys.executable, "-m", "supervisor.supervisord", "-n", "-c", str(supervisord_conf(home)))


def supervisord_conf(home: Home) -> Path:
    return home.conf / "supervisord.conf"


def write_configuration(home: Home, lab: Lab, listed: tuple[Program, ...]) -> None:
    """Render every configuration file."""
    program.save(home, listed)
    for component in lab.with_primaries(roles.read(home.roles_file)).kind("mariadb"):
        if component.paired:
            bootstrap.write_role(home, component)
    for component in lab.kind("nats"):
        files.write_atomic(_conf(home, component), render.nats(component, bootstrap.directory(home, component)).encode())
    for component in lab.kind("haproxy"):
        files.write_atomic(_conf(home, component), edge.haproxy(lab).encode())
    files.write_atomic(home.conf / "prometheus.yml", render.prometheus(lab).encode())
    files.write_atomic(home.conf / "alertmanager.yml", render.alertmanager(lab).encode())
    supervised = render.supervisord(home, lab, listed, user=bootstrap.user_name())
    files.write_atomic(supervisord_conf(home), supervised.encode(), mode=0o600)


def cores(available: list[int]) -> tuple[list[int], list[int]]:
    """(cores for what is under test, cores for what watches it); both empty, which means anywhere, on a single core."""
    return (available[:-1], available[-1:]) if len(available) > 1 else ([], [])


def _pinned(on: list[int], taskset: str) -> tuple[str, ...]:
    return (taskset, "-c", ",".join(map(str, on))) if on else ()


def _wave(component: Component) -> int:
    if component.kind in ("mariadb", "redis", "nats"):
        return STORES
    return LAST if component.kind in ("haproxy", "prober") else SERVICES


def _argv(home: Home, component: Component, servers: Mapping[str, str]) -> tuple[str, ...]:
    directory = bootstrap.directory(home, component)
    commands: dict[Kind, Callable[[], tuple[str, ...]]] = {
        "mariadb": lambda: (servers["mariadbd"], *_mariadb(home, component, directory)),
        "redis": lambda: (servers["redis-server"], *render.redis_options(component, directory)),
        "nats": lambda: (servers["nats-server"], "--config", str(_conf(home, component))),
        "prometheus": lambda: (servers["prometheus"], *_prometheus(home, component, directory)),
        "alertmanager": lambda: (servers["prometheus-alertmanager"], *_alertmanager(home, component, directory)),
        "haproxy": lambda: (servers["haproxy"], "-db", "-f", str(_conf(home, component))),
        "collector": lambda: (sys.executable, "-m", "reference_app.collector"),
        "receiver": lambda: (sys.executable, "-m", "postmortems.receiver"),
        "prober": lambda: (sys.executable, "-m", "reference_app.stack.prober"),
        "service": lambda: (sys.executable, "-m", f"reference_app.services.{component.group}"),
    }
    return commands[component.kind]()


def _mariadb(home: Home, component: Component, directory: Path) -> tuple[str, ...]:
    defaults = f"--defaults-file={bootstrap.role_file(home, component)}" if component.paired else "--no-defaults"
    where = (defaults, f"--user={bootstrap.user_name()}", f"--datadir={directory}")
    return (*where, *render.mariadb_options(component, semi_sync=component.paired))


def _prometheus(home: Home, component: Component, directory: Path) -> tuple[str, ...]:
    return (
        f"--config.file={home.conf / 'prometheus.yml'}", f"--storage.tsdb.path={directory}", "--storage.tsdb.retention.time=2d",
        "--storage.tsdb.retention.size=1GB", f"--web.listen-address=127.0.0.1:{component.port}",
        "--enable-feature=exemplar-storage", "--rules.alert.resend-delay=1s", "--log.level=warn",
    )  # fmt: skip


def _alertmanager(home: Home, component: Component, directory: Path) -> tuple[str, ...]:
    return (
        f"--config.file={home.conf / 'alertmanager.yml'}", f"--storage.path={directory}",
        f"--web.listen-address=127.0.0.1:{component.port}", "--cluster.listen-address=", "--log.level=warn",
    )  # fmt: skip


def _conf(home: Home, component: Component) -> Path:
    return home.conf / f"{component.name}.conf"
