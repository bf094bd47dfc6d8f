"""Packet rules of faults: nftables on loopback, one table per fault, so that taking a fault back is deleting its table.

Rules stand in the `output` hook: on loopback everything passes it once, on its way from the one who sends. Each begins with `oifname "lo"`:
what this machine asks of others on the same port is left alone.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Collection, Sequence
from typing import Any

import msgspec

SEARCHED = ("/usr/sbin", "/sbin")
"""Where nft is beside PATH."""
PRIORITIES = {"filter": 0, "nat": -100}
LOOPBACK = "lo"


class FirewallError(Exception):
    """nft refused; the message is its own."""


def why_not() -> str:
    """Why packet rules cannot be set here, in a sentence; empty when they can."""
    if _binary() is None:
        return "nft is not installed: apt-get install --no-install-recommends nftables"
    if os.geteuid() != 0:
        return "packet rules need root"
    try:
        _nft("list", "tables")
    except FirewallError as error:
        return f"this kernel or container takes no packet rules: {error}"
    return ""


def table_name(port_base: int, *parts: str) -> str:
    """Of a fault in the lab with that port base; nft's names are letters, digits and underscores."""
    return re.sub(r"\W", "_", "_".join(("failwhale", str(port_base), *parts)))


def either(ports: Collection[int]) -> str:
    """Any of these, as nft writes it."""
    return f"{{ {', '.join(map(str, ports))} }}"


def put(table: str, **chains: Sequence[str]) -> None:
    """Set the rules, in place of those of a table of that name; `chains` are named by their type, `filter` or `nat`. All or nothing."""
    bodies = "".join(_chain(kind, rules) for kind, rules in chains.items())
    _nft("-f", "-", script=f"table inet {table}\ndelete table inet {table}\ntable inet {table} {{\n{bodies}}}\n")


def empty(table: str, kind: str) -> None:
    """Take the rules out of one chain. New connections are no longer led elsewhere; those that are stay so, until the table is deleted or replaced."""
    _nft("-f", "-", script=f"table inet {table} {{\n{_chain(kind, ())}}}\nflush chain inet {table} {kind}_output\n")


def drop(table: str) -> None:
    """Delete the table; nothing when there is none."""
    _nft("-f", "-", script=f"table inet {table}\ndelete table inet {table}\n")


def present(table: str) -> bool:
    return any(entry["table"]["name"] == table for entry in _listed("list", "tables") if "table" in entry)


def packets(table: str) -> int:
    """Packets that the table's counters saw; 0 when there is no table."""
    if not present(table):
        return 0
    rules = [entry["rule"] for entry in _listed("list", "table", "inet", table) if "rule" in entry]
    return sum(part["counter"]["packets"] for rule in rules for part in rule["expr"] if "counter" in part)


def _chain(kind: str, rules: Sequence[str]) -> str:
    body = "".join(f'    oifname "{LOOPBACK}" {rule};\n' for rule in rules)
    return f"  chain {kind}_output {{\n    type {kind} hook output priority {PRIORITIES[kind]};\n{body}  }}\n"


def _listed(*command: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = msgspec.json.decode(_nft("--json", *command))["nftables"]
    return found


def _nft(*arguments: str, script: str = "") -> str:
    done = subprocess.run([_binary() or "nft", *arguments], input=script, capture_output=True, text=True, check=False)
    if done.returncode:
        raise FirewallError(done.stderr.strip().splitlines()[0] if done.stderr.strip() else f"nft exited with {done.returncode}")
    return done.stdout


def _binary() -> str | None:
    return shutil.which("nft", path=os.pathsep.join((os.environ.get("PATH", ""), *SEARCHED)))
