"""Rules of the house that no linter has."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

from chaos import catalogue
from reference_app.kit.home import REPOSITORY

PACKAGES = ("failwhale", "dashboards", "postmortems", "chaos", "loadgen", "reference_app")
MAX_LINES = 300


def modules() -> list[Path]:
    return [path for package in PACKAGES for path in (REPOSITORY / package).rglob("*.py")]


def test_no_module_is_longer_than_300_lines() -> None:
    lengths = {str(path.relative_to(REPOSITORY)): len(path.read_text().splitlines()) for path in modules()}
    assert {name: length for name, length in lengths.items() if length > MAX_LINES} == {}


def test_every_module_says_what_it_is_for() -> None:
    silent = [str(path) for path in modules() if path.name != "__main__.py" and not ast.get_docstring(ast.parse(path.read_text()))]
    assert silent == []


def test_the_map_of_the_modules_is_the_one_that_would_be_generated() -> None:
    """`make gen` writes it."""
    checked = subprocess.run([sys.executable, "scripts/module_map.py", "--check"], cwd=REPOSITORY, check=False)
    assert checked.returncode == 0


def test_nothing_is_global() -> None:
    offenders = [str(path) for path in modules() if re.search(r"^\s*global ", path.read_text(), re.MULTILINE)]
    assert offenders == []


def test_every_experiment_names_a_runbook_that_exists() -> None:
    missing = [name for name in catalogue.names() if not (REPOSITORY / catalogue.load(name).extension.runbook).is_file()]
    assert missing == []


STRANGERS = {"reference_app/collector/relay.py"}
"""Modules whose calls go to where the user says, perhaps behind a proxy."""
HTTPX_CALLS = {f"httpx.{name}" for name in ("get", "post", "put", "patch", "delete", "head", "request", "stream", "Client", "AsyncClient")}


def heeding_proxies(source: str) -> list[int]:
    """Lines with a call of httpx, or the making of a client, that goes where `http_proxy` says."""
    calls = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)]
    asking = [call for call in calls if ast.unparse(call.func) in HTTPX_CALLS]
    return [call.lineno for call in asking if "trust_env=False" not in [ast.unparse(keyword) for keyword in call.keywords]]


def test_no_call_to_the_labs_own_ports_goes_to_a_proxy_of_the_environment() -> None:
    assert {str(path.relative_to(REPOSITORY)) for path in modules() if heeding_proxies(path.read_text())} == STRANGERS


def test_a_call_that_heeds_proxies_is_noticed() -> None:
    source = "httpx.get('u', trust_env=False)\nhttpx.get('u', timeout=1)\nhttpx.Client(trust_env=True)\n"
    assert heeding_proxies(source) == [2, 3]
