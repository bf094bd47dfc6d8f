"""The committed rules: written from `contract/slo.yaml`, the burn windows, the causes and the topology.

`lab` is for a lab without an edge, `lab-standard` for one with it; `production` has an edge too.
"""

from __future__ import annotations

from pathlib import Path

from dashboards.rules import burn, causes, inhibition, model, thresholds, windows
from dashboards.rules.windows import Windows
from reference_app.kit import files
from reference_app.query import slo

FOLDER = Path("deploy/_gen/rules")
INHIBITIONS = Path("deploy/_gen/inhibitions.yml")


def rule_files() -> dict[Path, str]:
    """Path in the repository -> content. Raises SloError, and WindowError when an objective makes a rule impossible."""
    gateway, edge = slo.read(), slo.read(edge=True)
    contents = {
        "lab": [causes.group(thresholds.LAB), *_burn(gateway, windows.LAB)],
        "lab-standard": [causes.group(thresholds.LAB), *_burn(edge, windows.LAB)],
        "production": [causes.group(thresholds.PRODUCTION), *production(edge)],
    }
    return {FOLDER / f"{name}.yml": model.render(groups) for name, groups in contents.items()}


def generated() -> dict[Path, str]:
    """Rule files and what Alertmanager mutes: path in the repository -> content. Raises as `rule_files` does."""
    return rule_files() | {INHIBITIONS: inhibition.render()}


def _burn(slos: tuple[slo.Slo, ...], config: Windows) -> list[model.Group]:
    return [burn.group(one, config) for one in slos]


def production(slos: tuple[slo.Slo, ...]) -> list[model.Group]:
    """Rules of each objective for the period of its own budget. Raises WindowError."""
    return [burn.group(one, windows.production(one.period_s)) for one in slos]


def write(repository: Path) -> list[Path]:
    """Generate all files below the repository; returns their paths."""
    wanted = generated()
    for path, content in wanted.items():
        files.write_atomic(repository / path, content.encode())
    return list(wanted)


def drifted(repository: Path) -> list[Path]:
    """Files whose content is not what would be generated now, missing ones among them."""
    wanted = generated()
    return [path for path, content in wanted.items() if not _holds(repository / path, content)]


def _holds(path: Path, content: str) -> bool:
    return path.exists() and path.read_text() == content
