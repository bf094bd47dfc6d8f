"""The frame around every page: the line that says which lab this is and how it does."""

from __future__ import annotations

import re
from collections.abc import Mapping

import streamlit as st

from dashboards.console.draw import header, markup
from dashboards.console.draw.plot import Frame
from dashboards.console.lab.sight import Sight, Trouble
from dashboards.console.views import picture, sights

_SEE = {
    "no-lab": "It takes about ten seconds, from a terminal in the checkout:",
    "down": "Start it from a terminal:",
    "dark": "Bring it back from a terminal:",
}
_ENDS_CODE = re.compile(r"[`\s]+")


@st.fragment(run_every=sights.REFRESH_S)
def above() -> None:
    """Lab, health and clock; it refreshes itself."""
    picture.show(header.html(sights.now()), key="header")


def choose(label: str, options: Mapping[str, str], *, link: str) -> str:
    """The id that is picked among those there are (id -> how it reads): what the query parameter `link` names at first, else the first."""
    linked = st.query_params.get(link, "")
    if linked and linked not in options:
        st.warning(f"There is no {label.lower()} {quoted(linked)} here; this is the newest one.")
    first = list(options).index(linked) if linked in options else 0
    return st.selectbox(label, list(options), index=first, format_func=lambda name: options[name], key=link)


def quoted(text: str) -> str:
    """What somebody may have put into a link, for a sentence in Markdown: as code, in which images and links are none."""
    return f"`{_ENDS_CODE.sub(' ', text)}`"


def link(label: str, url: str, *, key: str, why_not: str = "") -> None:
    """A way to another page, in the same tab; Streamlit's own opens another one. `why_not` takes it away and says why."""
    picture.show(markup.render("link", label=label, url=url, why_not=why_not), key=key, width="content")


def trouble(trouble: Trouble) -> None:
    """Why there are no measurements, and the command that helps."""
    (st.info if trouble.kind == "no-lab" else st.warning)(f"{trouble.message} {_SEE[trouble.kind]}")
    st.code(trouble.command, language="bash")


def of(sight: Sight) -> Frame:
    """The stretch of time that small charts show."""
    return Frame(end=float(int(sight.at)), bands=sight.bands, changes=sight.changes)
