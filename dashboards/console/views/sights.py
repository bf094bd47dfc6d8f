"""The lab as this process of the console sees it: one watch for all sessions."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from dashboards.console.lab.sight import Sight
from dashboards.console.lab.watch import Watch
from reference_app.kit.home import Home

REFRESH_S = 2
"""How often a page that shows the lab looks again."""


def forget() -> None:
    """After something was done to the lab."""
    _watch(str(Home.from_environment().path)).forget()


def now() -> Sight:
    """What is known at this moment."""
    return _watch(str(Home.from_environment().path)).look()


@st.cache_resource(max_entries=4, show_spinner=False)
def _watch(path: str) -> Watch:
    return Watch(Home(Path(path)))
