"""Locust's own page from the console: opened and closed, its swarm started, watched and stopped."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import streamlit as st

from dashboards.console import swarm
from dashboards.console.lab.sight import Sight
from dashboards.console.spawn import Spawner
from dashboards.console.swarm import Page, Swarm, SwarmError, Wanted
from dashboards.console.views import sights
from reference_app.kit.home import Home

_SHAPES = {swarm.STEADY: "as many all the time", swarm.EVENT: "as the preset has them"}
DOWN = "The lab is not up: `failwhale up` first."


@st.fragment(run_every=sights.REFRESH_S)
def section(preset: str, scale: float, why_not: Callable[[Sight], str]) -> None:
    """`preset` and `scale` are what Spike sends; `why_not` says what keeps a load from being started now."""
    st.header("Locust", divider="gray")
    sight = sights.now()
    page = Page(f"http://127.0.0.1:{sight.lab.locust_port}") if sight.lab else None
    seen = page.swarm() if page else None
    if page is None or seen is None:
        _closed(sight)
        return
    _links(page)
    _figures(seen)
    if seen.idle:
        _form(page, preset, scale, why_not(sight))
    elif st.button("Stop the swarm", icon=":material/stop:", key="stop-swarm"):
        _done(page.stop, "The swarm is told to stop.")


def _closed(sight: Sight) -> None:
    """How to open it, and how the one ended that was opened here before."""
    spawner = _spawner()
    if spawner.running() is not None:
        st.info("Locust is starting.")
        return
    if (ended := spawner.ended()) is not None:
        st.warning(f"Locust ended: {ended.complaint}")
    why = DOWN if sight.lab is None or (sight.trouble is not None and sight.trouble.kind == "down") else ""
    with st.container(horizontal=True, vertical_alignment="center", key="swarm-open"):
        if st.button("Open Locust", icon=":material/open_in_browser:", disabled=bool(why), key="open-locust"):
            spawner.start_locust(now=time.time())
            st.rerun()
        st.caption(why or "To turn knobs by hand: people of four kinds, as many as you like. From a terminal: `failwhale load ui`.")


def _links(page: Page) -> None:
    with st.container(horizontal=True, vertical_alignment="center", key="swarm-links"):
        st.link_button("Locust's page", page.url, icon=":material/open_in_new:")
        st.link_button("Its report", page.report, icon=":material/download:")
        spawner = _spawner()
        if spawner.running() is not None and st.button("Close Locust", type="tertiary", key="close-locust"):
            spawner.stop()
            spawner.dismiss()
            st.toast("Locust is told to end.", icon=":material/stop:")


def _figures(seen: Swarm) -> None:
    told = {"State": seen.state, **seen.headline()}
    for column, (label, value) in zip(st.columns(len(told)), told.items(), strict=True):
        column.metric(label, value, border=True)


def _form(page: Page, preset: str, scale: float, why: str) -> None:
    with st.form("swarm", border=False), st.container(horizontal=True, vertical_alignment="bottom", key="swarm-form"):
        classes = st.multiselect(
            "Who", swarm.PEOPLE, default=swarm.PEOPLE[:1], key="swarm-who", help="Spike is the measured load, of the preset."
        )
        people = st.number_input("People", 1, 10_000, 10, key="swarm-people", width=120)
        rate = st.number_input("More a second", 0.1, 1000.0, 1.0, key="swarm-rate", width=140)
        shape = st.selectbox("There are", list(_SHAPES), format_func=_SHAPES.__getitem__, key="swarm-shape", width=220)
        started = st.form_submit_button("Start the swarm", icon=":material/play_arrow:", disabled=bool(why), key="start-swarm")
    st.caption(why or f"Preset and length are those above: {preset}, {scale:g} of a drill's. Only what Spike sends is recorded.")
    if started and not classes:
        st.toast("Nobody is picked.", icon=":material/error:")
    elif started:
        _done(lambda: page.start(Wanted(classes, int(people), float(rate), preset, scale, shape)), "The swarm starts.")


def _done(act: Callable[[], None], what: str) -> None:
    try:
        act()
    except SwarmError as error:
        st.toast(str(error), icon=":material/error:")
    else:
        st.toast(what, icon=":material/check:")


def _spawner() -> Spawner:
    return _cached_spawner(str(Home.from_environment().path))


@st.cache_resource(max_entries=4, show_spinner=False)
def _cached_spawner(path: str) -> Spawner:
    return Spawner(Home(Path(path)), "locust")
