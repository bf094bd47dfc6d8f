"""Command blocks of our documents: what a reader types, how it ends, and what of its output the text shows.

In a block `sh` every line is a command; in a block `console` those after `$ ` are, and the lines below one are what it shows. A comment behind
a command says `# exits N` where it does not end with 0, and `# until Ctrl-C` where it serves until then.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from reference_app.kit.home import REPOSITORY

DOCUMENTS = [REPOSITORY / "README.md", REPOSITORY / "CONTRIBUTING.md", *sorted((REPOSITORY / "docs").rglob("*.md"))]
TUTORIAL = REPOSITORY / "docs" / "tutorial"
STEPS = [*sorted(TUTORIAL.glob("[0-9]-*.md")), TUTORIAL / "your-own-service.md"]
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
PLACEHOLDER = re.compile(r"\b(?:[A-Z]+_)+ID\b")
PROMPT = "$ "
_SETTING = re.compile(r"[A-Z_]+=")
_EXITS = re.compile(r"\s# exits (\d+)")
_SERVES = re.compile(r"\s# until Ctrl-C")
_SHOWN = re.compile(r"(?P<any>\.\.\.)|(?P<zero>(?<![\d.,])0(?![.,]?\d))|(?P<number>\d+(?:[.,]\d+)*)|(?P<space>\s+)")
_STANDS_FOR = {"any": ".*", "zero": r"0(?![.,]?\d)", "number": r"\d+(?:[.,]\d+)*", "space": r"[ \t]+"}


@dataclass(frozen=True)
class Step:
    """A command of a page, with the code that it exits with and the lines of its output that the page shows."""

    page: str
    command: str
    shown: tuple[str, ...] = ()

    @property
    def exits(self) -> int:
        found = _EXITS.search(self.command)
        return int(found[1]) if found else 0

    @property
    def serves(self) -> bool:
        return _SERVES.search(self.command) is not None

    @property
    def programs(self) -> list[list[str]]:
        """The words of each program that the shell would start."""
        words = shlex.shlex(self.command, posix=True, punctuation_chars=True)
        words.whitespace_split = True
        found: list[list[str]] = [[]]
        for word in words:
            found.append([]) if word in ("|", "&&", ";") else found[-1].append(word)
        return [words[1:] if _SETTING.match(words[0]) else words for words in found]


def nameless(text: str) -> list[str]:
    """Fences of the blocks that do not say their language, in which nobody would look for commands."""
    lines = [line for line in text.splitlines() if line.startswith("```")]
    return [opening for opening in lines[::2] if opening == "```"]


def blocks(text: str, *languages: str) -> list[str]:
    return [body for named, body in BLOCK.findall(text) if named in languages]


def steps(page: Path) -> list[Step]:
    """Every command of a page, in its order."""
    return [step for body in blocks(page.read_text(), "sh", "console") for step in _of_block(page.name, body.splitlines())]


def _of_block(page: str, lines: Sequence[str]) -> Iterator[Step]:
    if not lines[0].startswith(PROMPT):
        yield from (Step(page, line) for line in lines)
        return
    starts = [number for number, line in enumerate(lines) if line.startswith(PROMPT)]
    for start, end in zip(starts, [*starts[1:], len(lines)], strict=True):
        yield Step(page, lines[start].removeprefix(PROMPT), tuple(lines[start + 1 : end]))


def lacking(shown: Sequence[str], output: str) -> list[str]:
    """Lines that a page shows and the output does not have. A number stands for any, but 0 for itself; `...` for whatever is there."""
    return [line for line in shown if not re.search(_pattern(line), output)]


def _pattern(line: str) -> str:
    found, at = "", 0
    for part in _SHOWN.finditer(line := line.strip()):
        found += re.escape(line[at : part.start()]) + _STANDS_FOR[str(part.lastgroup)]
        at = part.end()
    return found + re.escape(line[at:])


def filled(command: str, told_by: Mapping[str, tuple[str, str]], outputs: Mapping[str, str]) -> str:
    """The command with each placeholder replaced by what the first match of its pattern found in the output of its command."""

    def value(placeholder: re.Match[str]) -> str:
        source, pattern = told_by[placeholder[0]]
        match = re.search(pattern, outputs[source], re.MULTILINE)
        assert match, f"`{source}` told no {placeholder[0]}:\n{outputs[source]}"
        return match[1]

    return PLACEHOLDER.sub(value, command)
