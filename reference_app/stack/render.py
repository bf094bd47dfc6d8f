"""Topology -> configuration files of the servers and of supervisord. Pure: text in, text out."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import yaml

from reference_app.contract import keyvalue, metrics, profile
from reference_app.contract.metrics import Metric
from reference_app.contract.topology import Component, Lab
from reference_app.kit.home import REPOSITORY, Home
from reference_app.stack import program, supervision
from reference_app.stack.program import Program

RULES = REPOSITORY / "deploy" / "_gen" / "rules"
INHIBITIONS = REPOSITORY / "deploy" / "_gen" / "inhibitions.yml"
LOG_MB = 20
"""Of one file; the one before it is kept. A gateway writes 3.5 a minute at the peak of `goal`: a drill's lines are all there."""


_MEMBER_OF_A_PAIR = (
    "--rpl-semi-sync-master-wait-point=AFTER_SYNC", "--rpl-semi-sync-master-wait-no-slave=ON",
    # master-retry-count is no option of CHANGE MASTER in 10.11. 0 tries for ever to connect, but ends the thread, without an error, at the
    # second cut without an event in between.
    "--rpl-semi-sync-master-timeout=4294967295", "--master-retry-count=4294967295", f"--slave-net-timeout={profile.LAB.replica_timeout:.0f}",
)  # fmt: skip
"""Of both members: either may be the primary one day."""


KEYVALUE_OPTIONS = (
    "--plugin-load-add=ha_rocksdb", "--loose-rocksdb-block-cache-size=8M", "--loose-rocksdb-max-background-jobs=1",
    "--loose-rocksdb-max-total-wal-size=16M", "--sql-mode=STRICT_TRANS_TABLES,ERROR_FOR_DIVISION_BY_ZERO,NO_AUTO_CREATE_USER",
)  # fmt: skip
"""Of the key-value database: MyRocks, small. A server without the plugin says so in its log and starts without it; as NO_ENGINE_SUBSTITUTION
is left out of the modes, its tables are then InnoDB's."""


def mariadb_options(component: Component, *, semi_sync: bool) -> tuple[str, ...]:
    """Options of one instance. A commit is acknowledged when its binlog and, with `semi_sync`, its replica have it (docs/adr/0003).

    What depends on a member's role is in `mariadb_role`.

    Relative paths are below the data directory; a socket path may not exceed 107 characters, a relative one never does. A directory
    for temporary files that several servers share makes them delete one another's.
    """
    return (
        "--bind-address=127.0.0.1", f"--port={component.port}", f"--server-id={component.port}", "--skip-name-resolve",
        "--socket=mariadbd.sock", "--pid-file=mariadbd.pid", "--tmpdir=.", "--log-bin=binlog", "--relay-log=relay",
        "--innodb-flush-log-at-trx-commit=1", "--sync-binlog=1", "--binlog-format=ROW",
        "--gtid-strict-mode=ON", "--log-slave-updates=ON", "--relay-log-recovery=ON",
        "--max-connections=200", "--performance-schema=OFF", "--innodb-buffer-pool-size=32M", "--innodb-log-file-size=16M",
        "--innodb-log-buffer-size=8M", "--key-buffer-size=1M", "--aria-pagecache-buffer-size=1M", "--table-open-cache=256",
        *(_MEMBER_OF_A_PAIR if semi_sync else ()), *(KEYVALUE_OPTIONS if component.group == keyvalue.DATABASE_GROUP else ()),
    )  # fmt: skip


def mariadb_role(component: Component) -> str:
    """Option file of a member of a pair: what depends on its role, so that a restarted process has the role that it was given last."""
    primary = component.role == "primary"
    options = (f"read-only={_switch(not primary)}", f"rpl-semi-sync-master-enabled={_switch(primary)}",
               f"rpl-semi-sync-slave-enabled={_switch(not primary)}")  # fmt: skip
    return "\n".join(("[mariadbd]", *options)) + "\n"


def _switch(on: bool) -> str:  # noqa: FBT001
    return "ON" if on else "OFF"


def redis_options(component: Component, directory: Path) -> tuple[str, ...]:
    """A cache: nothing is kept on disk. The process title stays, because Redis writes it over the environment that marks the process."""
    policy = "allkeys-lru" if component.group == "tweet-cache" else "noeviction"
    return (
        "--bind", "127.0.0.1", "--port", str(component.port), "--dir", str(directory), "--save", "", "--appendonly", "no",
        "--maxmemory", "64mb", "--maxmemory-policy", policy, "--set-proc-title", "no",
    )  # fmt: skip


def nats(component: Component, directory: Path) -> str:
    """nats-server configuration: JetStream on file storage."""
    return (
        f'server_name: "{component.name}"\n'
        f'listen: "127.0.0.1:{component.port}"\n'
        f"jetstream {{\n  store_dir: {json.dumps(str(directory))}\n  max_memory_store: 16MB\n  max_file_store: 1GB\n}}\n"
    )


def prometheus(lab: Lab, rules: Path = RULES) -> str:
    """Prometheus configuration: each service, the collector and the prober once a second. The prober's samples keep their own `component`.

    Availability is counted at the edge where there is one, so the rules of such a lab are others.
    """
    alertmanager = lab.component("alertmanager")
    file = rules / ("lab-standard.yml" if lab.group("edge") else "lab.yml")
    config = {
        "global": {"scrape_interval": "1s", "scrape_timeout": "900ms", "evaluation_interval": "1s"},
        "rule_files": [str(file)] if file.exists() else [],
        "alerting": {"alertmanagers": [{"static_configs": [{"targets": [f"127.0.0.1:{alertmanager.port}"]}]}]},
        "scrape_configs": [
            {"job_name": "services", "static_configs": [_target(c) for c in (*lab.kind("service"), *lab.kind("collector"))]},
            {"job_name": "prober", "honor_labels": True, "static_configs": [_target(c) for c in lab.kind("prober")]},
            *(_edge_job(edge) for edge in lab.group("edge")),
            _watch_job(lab.component("prometheus")),
            _load_job(lab),
        ],
    }
    return yaml.safe_dump(config, sort_keys=False)


def _target(component: Component) -> dict[str, Any]:
    labels = {"component": component.name, "service": component.group, "kind": component.kind}
    return {"targets": [f"127.0.0.1:{component.metrics_port}"], "labels": labels}


def _edge_job(edge: Component) -> dict[str, Any]:
    return {"job_name": "edge", "params": {"scope": ["backend", "server"]}, **_of_the_contract(edge, metrics.EDGE_METRICS)}


def _watch_job(prometheus: Component) -> dict[str, Any]:
    """Prometheus about itself: whether rules are evaluated and notifications taken."""
    return {"job_name": "prometheus", **_of_the_contract(prometheus, metrics.WATCH_METRICS)}


def _load_job(lab: Lab) -> dict[str, Any]:
    """Processes of a load, which are there while one runs."""
    targets = ((f"load-{i}", port) for i, port in enumerate(lab.generator_ports))
    labels = {"service": "load", "kind": "load"}
    return {
        "job_name": "load",
        "static_configs": [{"targets": [f"127.0.0.1:{port}"], "labels": {"component": name, **labels}} for name, port in targets],
    }


def _of_the_contract(component: Component, kept: Sequence[Metric]) -> dict[str, Any]:
    """Servers export hundreds of series; kept are those of the contract."""
    names = "|".join(metric.name for metric in kept)
    return {
        "static_configs": [_target(component)],
        "metric_relabel_configs": [{"source_labels": ["__name__"], "regex": names, "action": "keep"}],
    }


def alertmanager(lab: Lab, inhibitions: Path = INHIBITIONS) -> str:
    """Alertmanager configuration: the lab's receiver writes incidents down.

    A lab is one system: what fires together is one incident, one group. The heartbeat is a group of its own, told every 2 s.
    """
    heartbeat = {
        "receiver": "lab", "matchers": ['severity="none"'], "group_by": ["alertname"],
        "group_wait": "0s", "group_interval": "2s", "repeat_interval": "1s",
    }  # fmt: skip
    route = {
        "receiver": "lab", "group_by": [], "group_wait": "1s", "group_interval": "5s", "repeat_interval": "1h", "routes": [heartbeat],
    }  # fmt: skip
    muted = yaml.safe_load(inhibitions.read_text()) if inhibitions.exists() else {}
    told = {"name": "lab", "webhook_configs": [{"url": lab.receiver_url, "send_resolved": True}]}
    return yaml.safe_dump({"route": route, "receivers": [told], **muted}, sort_keys=False, width=10_000)


def supervisord(home: Home, lab: Lab, programs: Iterable[Program], *, user: str) -> str:
    """supervisord.conf: nothing starts by itself, a crash restarts, signals go to process groups."""
    log = program.log_file(home, program.SUPERVISORD)
    head = [
        "[supervisord]",
        f"logfile={_escaped(str(log))}",
        "logfile_maxbytes=5MB",
        "logfile_backups=1",
        "silent=true",
        f"pidfile={_escaped(str(home.path / 'run' / 'supervisord.pid'))}",
        f"user={user}",
        "",
        "[inet_http_server]",
        f"port=127.0.0.1:{lab.supervisor_port}",
        f"username={supervision.USER}",
        f"password={lab.supervisor_password}",
        "",
        "[rpcinterface:supervisor]",
        "supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface",
    ]
    return "\n".join([*head, *(line for p in programs for line in _section(home, p))]) + "\n"


def _section(home: Home, item: Program) -> Sequence[str]:
    environment = program.marks(home, item.name)
    return (
        "",
        f"[program:{item.name}]",
        f"command={_escaped(shlex.join(item.argv))}",
        f"directory={_escaped(str(REPOSITORY))}",
        "environment=" + ",".join(f'{name}="{_escaped(value)}"' for name, value in environment.items()),
        "autostart=false",
        "autorestart=true",
        "startsecs=1",
        "startretries=10",
        "stopwaitsecs=5",
        "stopasgroup=true",
        "killasgroup=true",
        "redirect_stderr=true",
        f"stdout_logfile={_escaped(str(program.log_file(home, item.name)))}",
        f"stdout_logfile_maxbytes={LOG_MB}MB",
        "stdout_logfile_backups=1",
    )


def _escaped(value: str) -> str:
    """Supervisord expands %(name)s in its configuration."""
    return value.replace("%", "%%")
