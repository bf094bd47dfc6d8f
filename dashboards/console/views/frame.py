"""The frame around every page: the line that says which lab this is and how it does."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from dashboards.console.draw import header
from dashboards.console.views import picture, sights


@st.fragment(run_every=sights.REFRESH_S)
def above() -> None:
    """Lab, health and clock; it refreshes itself."""
    picture.show(header.html(sights.now()), key="header")


def choose(label: str, options: Mapping[str, str], *, link: str) -> str:
    """The id that is picked among those there are (id -> how it reads): what the query parameter `link` names at first, else the first."""
    linked = st.query_params.get(link, "")
    if linked and linked not in options:
        st.warning(f"There is no {label.lower()} `{linked}` here; this is the newest one.")
    first = list(options).index(linked) if linked in options else 0
    return st.selectbox(label, list(options), index=first, format_func=lambda name: options[name], key=link)
