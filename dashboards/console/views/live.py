"""Live: the running lab. Every part refreshes itself; a lab that is away, down or silent is shown as such."""

from __future__ import annotations

import streamlit as st

from dashboards.console.draw import overview, red, stores, topology_map
from dashboards.console.lab import states
from dashboards.console.views import actions, frame, picture, sights


def page() -> None:
    """The whole page."""
    frame.above()
    _stage()
    actions.panel()
    _services()
    _stores()


@st.fragment(run_every=sights.REFRESH_S)
def _stage() -> None:
    """What is going on, the map, and the figures beside it."""
    sight = sights.now()
    actions.situation(sight)
    if sight.lab is None or (sight.trouble is not None and sight.trouble.kind == "down"):
        return
    with st.container(horizontal=True, gap="large", key="stage"):
        with st.container(key="map"):
            healths = states.of(sight)
            breakers = states.open_breakers(sight.signals.state) if sight.signals else ()
            picture.show(topology_map.html(healths, breakers=breakers), key="topology")
        with st.container(key="overview"):
            picture.show(overview.html(sight, frame.of(sight)), key="figures")


@st.fragment(run_every=sights.REFRESH_S)
def _services() -> None:
    sight = sights.now()
    if sight.lab is not None and sight.signals is not None:
        st.subheader("Services", help="Rate, errors (answers of 5xx) and duration as each service saw them, over five seconds each.")
        picture.show(red.html(sight.lab, sight.signals, frame.of(sight)), key="red")


@st.fragment(run_every=sights.REFRESH_S)
def _stores() -> None:
    sight = sights.now()
    if sight.signals is not None:
        st.subheader("Stores")
        picture.show(stores.html(states.of(sight), sight.signals, frame.of(sight)), key="stores")
