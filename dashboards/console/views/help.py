"""Help: your first experiment in 30 minutes, and the tutorial, step by step, as it lies in docs/tutorial."""

from __future__ import annotations

import re
from pathlib import Path

import streamlit as st

from dashboards.console.views import frame
from reference_app.kit.home import REPOSITORY

TUTORIAL = REPOSITORY / "docs" / "tutorial"
LINK = "step"
"""Query parameter of a deep link: `/help?step=2-break`."""
_PAGE_LINK = re.compile(r"\]\((?P<name>[\w-]+)\.md\)")
_FILE_LINK = re.compile(r"!?\[(?P<text>[^]]+)]\((?:\.\./[^)]*|[\w-]+\.yaml)\)")


def page() -> None:
    """The whole page."""
    frame.above()
    st.title("Your first experiment in 30 minutes")
    pages = {
        path.stem: path
        for path in [TUTORIAL / "README.md", *sorted(TUTORIAL.glob("[0-9]*.md")), TUTORIAL / "your-own-service.md"]
        if path.exists()
    }
    if not pages:
        st.info(f"The tutorial is not here: there is no `{TUTORIAL}`. The console runs from a checkout, which has it.")
        return
    chosen = frame.choose("Step", {name: _title(path) for name, path in pages.items()}, link=LINK)
    st.query_params[LINK] = chosen
    with st.container(border=True, key="tutorial"):
        st.markdown(readable(pages[chosen].read_text()))
    _on(list(pages), chosen)


def readable(markdown: str) -> str:
    """Links to other pages of the tutorial lead here; files of the repository are named."""
    return _FILE_LINK.sub(r"\g<text>", _PAGE_LINK.sub(r"](/help?step=\g<name>)", markdown))


def _on(names: list[str], chosen: str) -> None:
    following = names.index(chosen) + 1
    if following < len(names):
        frame.link("Next step", f"/help?step={names[following]}", key="next")


def _title(path: Path) -> str:
    return next((line.lstrip("# ").strip() for line in path.read_text().splitlines() if line.startswith("# ")), path.stem)
