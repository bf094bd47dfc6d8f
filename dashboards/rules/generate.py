"""The committed rule files: written from `contract/slo.yaml`, the burn windows and the causes."""

from __future__ import annotations

from pathlib import Path

from dashboards.rules import burn, causes, model, windows
from reference_app.kit import files
from reference_app.query import slo

FOLDER = Path("deploy/_gen/rules")


def rule_files(slos: tuple[slo.Slo, ...]) -> dict[Path, str]:
    """Path in the repository -> content. Raises WindowError when an objective makes a rule impossible."""
    contents = {
        windows.LAB.name: [causes.group(), *(burn.group(one, windows.LAB) for one in slos)],
        windows.PRODUCTION.name: [burn.group(one, windows.PRODUCTION) for one in slos],
    }
    return {FOLDER / f"{name}.yml": model.render(groups) for name, groups in contents.items()}


def write(repository: Path) -> list[Path]:
    """Generate all files below the repository; returns their paths."""
    wanted = rule_files(slo.read())
    for path, content in wanted.items():
        files.write_atomic(repository / path, content.encode())
    return list(wanted)


def drifted(repository: Path) -> list[Path]:
    """Files whose content is not what would be generated now, missing ones among them."""
    wanted = rule_files(slo.read())
    return [path for path, content in wanted.items() if not _holds(repository / path, content)]


def _holds(path: Path, content: str) -> bool:
    return path.exists() and path.read_text() == content
