"""Writes the catalogue of docs/drills.md from chaos/experiments (`make gen`); `--check` only compares."""

from __future__ import annotations

import sys
from pathlib import Path

from failwhale import drillsdoc

DOCUMENT = Path(__file__).resolve().parents[1] / drillsdoc.DOCUMENT


def main() -> int:
    """Exit code 1 when `--check` finds a difference."""
    written = DOCUMENT.read_text()
    wanted = drillsdoc.with_catalogue(written, drillsdoc.library())
    if "--check" in sys.argv:
        return int(written != wanted)
    DOCUMENT.write_text(wanted)
    return 0


if __name__ == "__main__":
    sys.exit(main())
