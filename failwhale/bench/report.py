"""Results kept below the home, one file for each benchmark, and docs/benchmarks.md written from them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from failwhale.bench.measure import Machine
from failwhale.bench.model import Bench, Measured, Result, judged
from reference_app.kit import files

DOCUMENT = Path("docs") / "benchmarks.md"
TOLD_WHOLE = 10_000
HEAD = """# Benchmarks

Written by `failwhale bench --write` from results that `failwhale bench NAME` measured; do not edit. How they are measured, and what was
changed because of them: [adr/0014](adr/0014-benchmarks-are-ratios-of-cpu-time.md). A ratio is the geometric mean over pairs of windows
run A B B A, with its 95 % interval; a bar is passed only when the whole interval clears it. Absolute figures belong to the machine.
"""


@dataclass(frozen=True)
class Kept:
    """A result with the machine that made it."""

    name: str
    machine: Machine
    result: Result


def keep(directory: Path, kept: Kept) -> Path:
    """Write a result over the former one of its benchmark."""
    path = directory / f"{kept.name}.json"
    files.write_json(path, kept)
    return path


def read(directory: Path) -> dict[str, Kept]:
    """What was kept, by name. Raises msgspec.DecodeError for a file that is no result."""
    return {path.stem: msgspec.json.decode(path.read_bytes(), type=Kept) for path in sorted(directory.glob("*.json"))}


def document(benches: Sequence[Bench], kept: Mapping[str, Kept]) -> str:
    """The page: a row for each of `benches`, and a section for each that has a result and no page of its own."""
    rows = "\n".join(_row(bench, kept.get(bench.name)) for bench in benches)
    table = f"| benchmark | ratio | 95 % interval | bar | against |\n|---|---|---|---|---|\n{rows}\n"
    return "\n".join([HEAD, table, *(_section(bench, kept[bench.name]) for bench in benches if bench.name in kept and not bench.page)])


def ratio_text(result: Result) -> tuple[str, str]:
    """(the ratio, its interval) for people."""
    if result.ratio is None or result.low is None or result.high is None:
        return "not compared", ""
    return f"{result.ratio:.3g}", f"{result.low:.3g} to {result.high:.3g}"


def bar_text(result: Result, *, unknown: str = "not judged") -> str:
    """The bar, and whether it was passed; `unknown` is said where that is not known here."""
    if result.bar is None:
        return "none"
    word = {True: "passed", False: "missed", None: unknown}[result.passed]
    return f"{'≥' if result.better == 'higher' else '≤'} {result.bar:g}: {word}"


def figures(absolute: Mapping[str, Any], prefix: str = "") -> list[tuple[str, str]]:
    """Name and value of each figure; what is nested is named with its path."""
    found: list[tuple[str, str]] = []
    for name, value in absolute.items():
        if isinstance(value, Mapping):
            found += figures(value, f"{prefix}{name}.")
        else:
            found.append((f"{prefix}{name}", _shown(value)))
    return found


def _shown(value: object) -> str:
    """Four digits of what is measured, without an exponent; all of what is counted."""
    if isinstance(value, float):
        return f"{value:,.4g}" if abs(value) < TOLD_WHOLE else f"{value:,.0f}"
    return f"{value:,}" if isinstance(value, int) else str(value)


def _row(bench: Bench, kept: Kept | None) -> str:
    target = bench.page or (f"#{bench.name}" if kept else "")
    name = f"[{bench.name}]({target})" if target else bench.name
    if kept is None:
        ratio, interval, nothing = "no result yet", "", judged(bench, Measured(None, 0), quick=False)
        bar = bar_text(nothing)
        if bench.page:
            ratio, bar = "on its page", bar_text(nothing, unknown="on its page")
    else:
        (ratio, interval), bar = ratio_text(kept.result), bar_text(kept.result)
    return f"| {name} | {ratio} | {interval} | {bar} | {bench.against} |"


def _section(bench: Bench, kept: Kept) -> str:
    machine, result = kept.machine, kept.result
    versions = ", ".join(f"{name} {version}" for name, version in machine.versions.items())
    rows = [f"| {name} | {value} |" for name, value in figures(result.absolute)]
    made = (
        f"{machine.at}, {machine.cores} cores {machine.cpu}, {machine.memory_gib} GiB, Linux {machine.kernel}, Python {machine.python}, "
        f"load before {machine.load_1m}; {result.repeats} repeats. {versions}."
    )
    return "\n".join(
        [
            f"## {bench.name}",
            "",
            bench.meaning,
            "",
            made,
            "",
            *(["| figure | value |", "|---|---|", *rows, ""] if rows else []),
        ]
    )
