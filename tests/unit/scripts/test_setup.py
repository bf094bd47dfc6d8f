from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[3]
SCRIPTS = ("scripts/setup.sh", ".ci/run")
TOOLS = ("bash", "cat", "comm", "cut", "dirname", "find", "grep", "id", "rm", "sh", "sha256sum", "sort", "tr")


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout on a machine that has a shell and Python, and nothing else: no server, no apt."""
    root = tmp_path / "checkout"
    (root / "scripts").mkdir(parents=True)
    shutil.copy(REPOSITORY / "scripts" / "setup.sh", root / "scripts")
    for name in ("pyproject.toml", "requirements.lock"):
        shutil.copy(REPOSITORY / name, root)
    programs = tmp_path / "bin"
    programs.mkdir()
    for tool in TOOLS:
        found = shutil.which(tool)
        assert found is not None
        (programs / tool).symlink_to(found)
    add_tool(root, "python3", f'exec {sys.executable} "$@"')
    return root


def run(checkout: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    script = checkout / "scripts" / "setup.sh"
    text = script.read_text().replace('PATH="$PATH:/usr/sbin:/sbin"\n', "")
    for path in (" /usr/lib", '"/usr/lib', '"/lib', "=/usr/sbin"):
        text = text.replace(path, path.replace("/", f"{checkout.parent}/", 1))
    script.write_text(text)
    environment = os.environ | {"PATH": str(checkout.parent / "bin")}
    return subprocess.run([str(script), *arguments], env=environment, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)


def add_tool(checkout: Path, name: str, body: str) -> None:
    path = checkout.parent / "bin" / name
    path.unlink(missing_ok=True)
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)


@pytest.mark.parametrize("script", SCRIPTS)
def test_scripts_are_executable_and_valid_bash(script: str) -> None:
    path = REPOSITORY / script
    assert os.access(path, os.X_OK)
    subprocess.run(["bash", "-n", str(path)], check=True)


def test_a_machine_without_apt_gets_the_exact_list_and_exit_2(checkout: Path) -> None:
    result = run(checkout)
    assert result.returncode == 2
    assert (
        "mariadb-client mariadb-client-core mariadb-server-core nats-server nftables prometheus prometheus-alertmanager redis-server"
        in result.stderr
    )
    assert "chromium" not in result.stderr
    assert not (checkout / ".venv").exists()


def test_tests_need_a_browser_as_well(checkout: Path) -> None:
    result = run(checkout, "--tests")
    assert result.returncode == 2
    assert "chromium chromium-driver" in result.stderr
    assert "redis-tools" in result.stderr
    assert " wrk" in result.stderr


def test_who_is_not_root_gets_the_command_to_type(checkout: Path) -> None:
    add_tool(checkout, "apt-get", "exit 1")
    add_tool(checkout, "id", "echo 1000")
    result = run(checkout)
    assert result.returncode == 2
    assert "not root" in result.stderr
    assert re.search(r"sudo apt-get install --no-install-recommends mariadb", result.stderr)
    assert "nftables" not in result.stderr, "who is not root can set no packet rules"
    assert "sudo apt-get install --no-install-recommends chromium chromium-driver haproxy" in run(checkout, "--tests").stderr


@pytest.fixture
def furnished(checkout: Path) -> Path:
    """A machine that lacks nothing but the optional engine, where `apt` notes what it is asked for; no Python packages are installed."""
    names = re.findall(r"([a-z_-]+):[a-z-]+", (REPOSITORY / "scripts" / "setup.sh").read_text().partition("TESTS=")[0])
    for name in names:
        add_tool(checkout, name, "exit 0")
    for tool in ("chmod", "mkdir"):
        (checkout.parent / "bin" / tool).symlink_to(shutil.which(tool) or tool)
    (checkout.parent / "usr" / "sbin").mkdir(parents=True)
    add_tool(checkout, "id", "echo 0")
    add_tool(checkout, "apt-get", f'echo "$@" >>{checkout.parent}/asked; test -e {checkout.parent}/usr/sbin/policy-rc.d')
    add_tool(checkout, "python3", f'case "$*" in *"-m venv"*) exit 3;; esac; exec {sys.executable} "$@"')
    return checkout


def asked(checkout: Path) -> str:
    path = checkout.parent / "asked"
    return path.read_text() if path.exists() else ""


def test_the_log_structured_engine_is_installed_while_nothing_may_start(furnished: Path) -> None:
    result = run(furnished)
    assert re.search(r"^install .*--no-install-recommends mariadb-plugin-rocksdb$", asked(furnished), re.MULTILINE)
    assert "InnoDB" not in result.stderr
    assert not list((furnished.parent / "usr" / "sbin").iterdir())


def test_an_engine_that_cannot_be_had_is_said_and_is_no_failure(furnished: Path) -> None:
    add_tool(furnished, "apt-get", "exit 100")
    result = run(furnished)
    assert "the key-value tier will use InnoDB instead of RocksDB (mariadb-plugin-rocksdb), which apt could not install" in result.stderr
    assert "making .venv" in result.stderr


@pytest.mark.parametrize(("tool", "body"), [("mariadbd-safe", "exit 0"), ("id", "echo 1000")])
def test_the_engine_is_not_forced_on_a_machine_that_has_a_mariadb_service_or_on_who_is_not_root(
    furnished: Path, tool: str, body: str
) -> None:
    add_tool(furnished, tool, body)
    result = run(furnished)
    assert "the key-value tier will use InnoDB" in result.stderr
    assert asked(furnished) == ""


def test_an_engine_that_is_there_is_not_installed(furnished: Path) -> None:
    plugin = furnished.parent / "usr" / "lib" / "mysql" / "plugin" / "ha_rocksdb.so"
    plugin.parent.mkdir(parents=True)
    plugin.touch()
    assert "InnoDB" not in run(furnished).stderr
    assert asked(furnished) == ""


def test_an_option_that_does_not_exist_is_refused(checkout: Path) -> None:
    result = run(checkout, "--everything")
    assert (result.returncode, "there is --tests" in result.stderr) == (2, True)


def test_an_old_python_is_refused(checkout: Path) -> None:
    add_tool(checkout, "python3", 'case "$1" in --version) echo Python 3.9.2;; *) exit 1;; esac')
    result = run(checkout)
    assert result.returncode == 2
    assert "Python 3.11 or newer is needed; this machine has Python 3.9.2" in result.stderr


def test_the_lock_pins_what_the_project_needs_and_names_no_index_and_no_path() -> None:
    text = (REPOSITORY / "requirements.lock").read_text()
    pins = {line.split("==")[0] for line in text.splitlines() if "==" in line and not line.startswith(("#", " "))}
    needed = re.findall(r'"([A-Za-z0-9-]+)>=', (REPOSITORY / "pyproject.toml").read_text())
    assert {name.lower() for name in needed} <= pins
    assert not re.search(r"://|--index|--find-links|/home/|/tmp/|/root/", text)


def test_make_help_lists_every_target() -> None:
    makefile = (REPOSITORY / "Makefile").read_text()
    targets = set(re.search(r"^\.PHONY: (.*)$", makefile, re.MULTILINE)[1].split())
    shown = subprocess.run(["make", "-s", "help"], cwd=REPOSITORY, capture_output=True, text=True, check=True).stdout
    assert {line.split()[1] for line in shown.splitlines()} == targets
