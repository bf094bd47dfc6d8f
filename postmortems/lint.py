"""Does a postmortem look for conditions, or for people? Sentences held against rules that each say why and what to write instead. Pure.

Code, tables, quotations, headings and the template's own prompts (whole paragraphs in italics) are not looked at.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from postmortems.actions import Action
from postmortems.lint_rules import RULES, Rule

_FENCE = re.compile(r"^\s*(?:```|~~~)")
_HEADING = re.compile(r"^#{1,6}\s+(?P<title>.*)")
_ITEM = re.compile(r"^\s*(?:[-*+]|\d+[.)])\s+(?:\[[ xX]\]\s+)?")
_PROMPT = re.compile(r"^\*(?!\*).*(?<!\*)\*$", re.DOTALL)
_ACTIONS = re.compile(r"action|follow[- ]?up|next step|remediation|to[- ]?do|improvements", re.IGNORECASE)
_NOT_PROSE = re.compile(r"<!--.*?-->|`[^`]*`|https?://\S+|\]\([^)]*\)|\[|\]")
_CURLY = "\N{RIGHT SINGLE QUOTATION MARK}"
_ENDS = re.compile(r"(?<=[.!?])[\"')*]*\s+(?=[\"'(*]*[A-Z0-9])")


@dataclass(frozen=True)
class Finding:
    """`line` counts from 1; `quote` is what was found, in its sentence's own words. `where` is the action's id in a list of actions."""

    line: int
    rule: str
    quote: str
    why: str
    instead: str
    where: str = ""


@dataclass(frozen=True)
class Sentence:
    """A sentence of prose, without code, links and marks; `action` when it stands below a heading about actions."""

    line: int
    text: str
    action: bool


@dataclass(frozen=True)
class _Paragraph:
    line: int
    text: str
    action: bool


def findings(markdown: str, listed: Sequence[Action] = ()) -> list[Finding]:
    """What a text and its list of actions say that they better did not; in the order of the text."""
    found = [finding for sentence in sentences(markdown) for finding in of_sentence(sentence)]
    return [*found, *(finding for action in listed if action.state != "declined" for finding in _of_action(action))]


def sentences(markdown: str) -> Iterator[Sentence]:
    """Every sentence of prose."""
    for paragraph in _paragraphs(markdown):
        if _PROMPT.match(paragraph.text):
            continue
        for part in _ENDS.split(_NOT_PROSE.sub(" ", paragraph.text.replace(_CURLY, "'"))):
            text = " ".join(part.split())
            if sum(character.isalpha() for character in text) > 2:
                yield Sentence(paragraph.line, text, paragraph.action)


def _paragraphs(markdown: str) -> Iterator[_Paragraph]:
    """Blocks of prose: a list's items are one each."""
    held: list[str] = []
    since, in_code, in_actions = 1, False, False
    lines = markdown.splitlines()
    for number, line in enumerate(lines[_front_matter(lines) :], _front_matter(lines) + 1):
        heading, fence = _HEADING.match(line), _FENCE.match(line)
        prose = not (in_code or fence or heading or line.lstrip().startswith(("|", ">", "    ", "\t"))) and bool(line.strip())
        if held and (not prose or _ITEM.match(line)):
            yield _Paragraph(since, "\n".join(held), in_actions)
            held = []
        if fence:
            in_code = not in_code
        if heading and not in_code:
            in_actions = bool(_ACTIONS.search(heading["title"])) or (in_actions and line.startswith("###"))
        if prose:
            since = since if held else number
            held.append(_ITEM.sub("", line).strip())
    if held:
        yield _Paragraph(since, "\n".join(held), in_actions)


def _front_matter(lines: Sequence[str]) -> int:
    """Lines of the front matter, its marks included."""
    if not lines or lines[0] != "---":
        return 0
    return next((number for number, line in enumerate(lines[1:], 2) if line == "---"), 0)


def of_sentence(sentence: Sentence, where: str = "") -> Iterator[Finding]:
    """What one sentence should not say."""
    for rule in RULES:
        quote = _quote(rule, sentence)
        if quote:
            yield Finding(sentence.line, rule.name, quote, rule.why, rule.instead, where)


def _quote(rule: Rule, sentence: Sentence) -> str:
    if (rule.actions and not sentence.action) or any(pattern.search(sentence.text) for pattern in rule.quiet):
        return ""
    found = next(filter(None, (pattern.search(sentence.text) for pattern in rule.patterns)), None)
    return found[0].strip() if found else ""


def _of_action(action: Action) -> Iterator[Finding]:
    yield from of_sentence(Sentence(0, action.text, action=True), action.id)
    parts = {"an owner": action.owner, "a due date": action.due, "a done-when": action.done_when}
    missing = [name for name, value in parts.items() if not value]
    if missing:
        yield Finding(
            0, "unbounded-action", action.text, f"it lacks {' and '.join(missing)}, so it has no end",
            "give it an owner, a date, and what anybody can see when it is done", action.id,
        )  # fmt: skip
