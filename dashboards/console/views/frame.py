"""The frame around every page: the line that says which lab this is and how it does."""

from __future__ import annotations

import streamlit as st

from dashboards.console.draw import header
from dashboards.console.views import picture, sights


@st.fragment(run_every=sights.REFRESH_S)
def above() -> None:
    """Lab, health and clock; it refreshes itself."""
    picture.show(header.html(sights.now()), key="header")
