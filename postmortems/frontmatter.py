"""The head of a postmortem file: YAML between two lines of ---, and the text below it."""

from __future__ import annotations

import re
from typing import Any

import yaml

_FENCE = "---\n"


class FrontMatterError(Exception):
    """A file without a front matter that can be read; the message says why."""


def read(text: str) -> dict[str, Any]:
    """The front matter of a postmortem. Raises FrontMatterError."""
    parts = text.split(_FENCE, 2)
    if len(parts) != 3 or parts[0]:
        raise FrontMatterError("there is no front matter between two lines of --- at its beginning")
    try:
        found = yaml.safe_load(parts[1])
    except yaml.YAMLError as error:
        raise FrontMatterError(f"the front matter is not YAML: {error}") from error
    if not isinstance(found, dict):
        raise FrontMatterError("the front matter is not a mapping of names to values")
    return found


def changed(text: str, name: str, value: object) -> str:
    """The text with one field of its front matter replaced, or added at its end; every other character stays. Raises FrontMatterError."""
    read(text)
    _, head, rest = text.split(_FENCE, 2)
    written = yaml.safe_dump({name: value}, allow_unicode=True, width=140)
    field = re.compile(rf"^{re.escape(name)}:.*\n(?:[ \-].*\n)*", re.MULTILINE)
    head = field.sub(lambda _: written, head, count=1) if field.search(head) else head + written
    return f"{_FENCE}{head}{_FENCE}{rest}"


def body(text: str) -> str:
    """The text without its front matter."""
    parts = text.split(_FENCE, 2)
    return parts[2] if len(parts) == 3 and not parts[0] else text
