"""Overview: what runs now, whether the objectives are kept, the map of the lab, alerts, open incidents and the latest runs."""

from __future__ import annotations

import functools

import streamlit as st

from dashboards.console import data, responding
from dashboards.console.draw import happening, objectives, topology_map
from dashboards.console.lab import states
from dashboards.console.views import actions, frame, picture, sights
from reference_app.contract import topology
from reference_app.kit.home import Home
from reference_app.query import slo
from reference_app.query.slo import Slo

LATEST = 5
"""Runs beside the map."""


def page() -> None:
    """The whole page."""
    frame.above()
    _now()
    actions.panel()
    _objectives()
    _state()


@st.fragment(run_every=sights.REFRESH_S)
def _now() -> None:
    sight = sights.now()
    actions.situation(sight)


@st.fragment(run_every=sights.REFRESH_S)
def _objectives() -> None:
    sight = sights.now()
    if sight.lab is None or sight.signals is None:
        return
    st.subheader("Objectives", help="What users were promised (contract/slo.yaml). A burn rate of 1 spends the error budget exactly.")
    slos = _slos(edge=topology.has_edge(sight.lab.topology))
    picture.show(objectives.html(slos, sight.signals, frame.of(sight)), key="objectives")


@st.fragment(run_every=sights.REFRESH_S)
def _state() -> None:
    sight, home = sights.now(), Home.from_environment()
    runs = [happening.of_run(listed) for listed in data.latest(home, LATEST)]
    live = [happening.of_incident(incident) for incident in responding.unresolved(home)]
    told = happening.html(sight, incidents=live, runs=runs)
    if sight.lab is None or (sight.trouble is not None and sight.trouble.kind == "down"):
        picture.show(told, key="happening")
        return
    with st.container(horizontal=True, gap="large", key="stage"):
        with st.container(key="map"):
            breakers = states.open_breakers(sight.signals.state) if sight.signals else ()
            picture.show(topology_map.html(states.of(sight), breakers=breakers), key="topology")
        with st.container(key="overview"):
            picture.show(told, key="happening")


@functools.cache
def _slos(*, edge: bool) -> tuple[Slo, ...]:
    return slo.read(edge=edge)
