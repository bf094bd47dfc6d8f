"""Pictures on a page: a Streamlit component without an iframe that shows our markup, follows the theme and tells what was picked."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import streamlit as st

_ASSETS = Path(__file__).parents[1] / "assets"


def show(html: str, *, key: str, width: Literal["stretch", "content"] = "stretch") -> str | None:
    """Show markup of `dashboards.console.draw`, which escapes what it is given. The `data-pick` of what was clicked just now, else None."""
    picked: str | None = _component()(data={"html": html}, key=key, width=width, on_picked_change=_noted).picked
    return picked


def _noted() -> None:
    """A pick runs the page again; that is all that is wanted of it."""


@functools.cache
def _component() -> Callable[..., Any]:
    return st.components.v2.component(
        "failwhale.picture",
        html='<div class="fw"></div>',
        css=(_ASSETS / "picture.css").read_text(),
        js=(_ASSETS / "picture.js").read_text(),
        isolate_styles=False,
    )
