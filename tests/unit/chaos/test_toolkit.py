"""The toolkit itself, as users call it."""

from __future__ import annotations

import importlib
import inspect
import json
import subprocess
import sys
from importlib import metadata
from pathlib import Path
from types import ModuleType

import pytest

from chaos import actions, catalogue, discovery, probes, toolkit
from reference_app.kit.home import REPOSITORY

CHAOS = [sys.executable, "-m", "chaostoolkit", "--no-version-check", "--no-log-file"]


def chaos(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*CHAOS, *arguments], cwd=REPOSITORY, capture_output=True, text=True, check=False, timeout=60)


BY_COMMAND = ("kill-tweet-shard", "retry-storm")
"""A process each; what it would say of the others is asked for in this process (`chaos.rules`), and in `make verify`."""


@pytest.mark.parametrize(
    "name", [name if name in BY_COMMAND else pytest.param(name, marks=pytest.mark.verify) for name in catalogue.names()]
)
def test_chaos_validate_accepts_the_experiment(name: str) -> None:
    done = chaos("validate", str(catalogue.DIRECTORY / f"{name}.yaml"))
    assert done.returncode == 0, done.stderr


def test_chaos_validate_refuses_an_experiment_with_an_action_that_does_not_exist(tmp_path: Path) -> None:
    broken = tmp_path / "broken.yaml"
    broken.write_text((catalogue.DIRECTORY / "kill-tweet-shard.yaml").read_text().replace("func: kill_and_hold", "func: kill_and_hug"))
    assert chaos("validate", str(broken)).returncode == 1


def test_chaos_discover_lists_every_activity(tmp_path: Path) -> None:
    listing = tmp_path / "discovery.json"
    done = chaos("discover", "--no-install", "--discovery-path", str(listing), "failwhale")
    assert done.returncode == 0, done.stderr
    listed = {f"{activity['mod']}.{activity['name']}": activity for activity in json.loads(listing.read_text())["activities"]}
    kinds = {name: activity["type"] for name, activity in listed.items()}
    assert kinds == dict.fromkeys(offered(actions), "action") | dict.fromkeys(offered(probes), "probe")
    assert {name: [argument["name"] for argument in activity["arguments"]] for name, activity in listed.items()} == {
        name: arguments_of(name) for name in listed
    }


def offered(package: ModuleType) -> list[str]:
    """What the modules of a package name in `__all__`, whichever modules there are."""
    found = (importlib.import_module(f"{package.__name__}.{path.stem}") for path in Path(package.__path__[0]).glob("*.py"))
    return [f"{module.__name__}.{name}" for module in found for name in getattr(module, "__all__", ())]


def arguments_of(activity: str) -> list[str]:
    """All that its signature has; the toolkit lists none that can be given by its name alone."""
    module, _, name = activity.rpartition(".")
    return list(inspect.signature(getattr(importlib.import_module(module), name)).parameters)


def test_discovery_names_this_distribution() -> None:
    assert discovery.discover()["extension"] == {"name": "failwhale", "version": metadata.version("failwhale")}


def test_the_command_never_asks_the_internet_and_always_rolls_back(tmp_path: Path) -> None:
    command = toolkit.command(Path("x.yaml"), tmp_path, inject=False)
    assert "--no-version-check" in command
    assert command[command.index("--rollback-strategy") + 1] == "always"
    assert command[command.index("--var") + 1] == "inject=false"
    assert "--var" not in toolkit.command(Path("x.yaml"), tmp_path)
