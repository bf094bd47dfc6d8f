"""Incidents: what alerts say now, incidents as they happen, and one recorded with its course, the components that contributed, and its traces."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from dashboards.console import data, incident_texts, incidents, next_step, suspects
from dashboards.console import traces as stretches
from dashboards.console.draw import happening, steps, suspicion
from dashboards.console.suspects import Looked
from dashboards.console.views import frame, live_incident, picture, sights, traces
from postmortems import store
from postmortems.model import Incident
from reference_app.kit.home import Home

LINK = "incident"
"""Query parameter of a deep link: `/incidents?incident=<id>`."""


def page() -> None:
    """The whole page."""
    home = Home.from_environment()
    frame.above()
    st.title("Incidents")
    _now()
    live_incident.section(home)
    listed = incidents.listed(home)
    known = {entry.incident.header.id: entry.incident for entry in listed if entry.incident is not None}
    st.header("Recorded incidents", divider="gray")
    if not known:
        st.info(f"No incident is recorded in `{home.incidents}`. Every drill leaves one, whose evidence outlives the lab:")
        st.code("failwhale drill kill-tweet-shard-no-replica-reads", language="bash")
        return
    chosen = frame.choose("Incident", {name: incident_texts.option(incident) for name, incident in known.items()}, link=LINK)
    st.query_params[LINK] = chosen
    _one(home, known[chosen])


@st.fragment(run_every=sights.REFRESH_S)
def _now() -> None:
    sight = sights.now()
    if sight.trouble is not None and sight.trouble.kind != "no-lab":
        frame.trouble(sight.trouble)
    picture.show(happening.alerts_html(sight), key="alerts")


def _one(home: Home, incident: Incident) -> None:
    header = incident.header
    with st.container(horizontal=True, vertical_alignment="center", key="incident-state"):
        st.badge(header.status, color="gray")
        st.markdown(f"{incident_texts.severity(header)}", width="content")
        frame.link("Its postmortem", f"/postmortems?incident={header.id}", key="itspostmortem")
        if not header.real_incident:
            frame.link("Its run", f"/drills?run={header.run_id}", key="itsrun")
    for column, (label, value) in zip(st.columns(5), incident_texts.headline(incident).items(), strict=True):
        column.metric(label, value, border=True)
    if header.real_incident:
        live_incident.advise(next_step.recorded(header))
    with st.spinner("reading the snapshot"):
        looked = _looked(str(home.incidents / header.id / store.SNAPSHOT))
    if looked.problem:
        st.warning(looked.problem)
        return
    left, right = st.columns([2, 3], gap="large")
    with left:
        st.subheader("Course")
        picture.show(steps.html(looked.course), key="steps")
    with right:
        st.subheader(
            "Contributing components",
            help="By what callers saw and servers measured; never by the experiment, its switches or who was seen dead.",
        )
        _suspects(looked)
    st.subheader("Traces")
    if header.real_incident:
        traces.within(home, stretches.of_recorded(header))
    else:
        _traces(home, header.run_id)


def _suspects(looked: Looked) -> None:
    found = looked.suspects
    if found.why_not:
        st.info(f"Nobody is suspected: {found.why_not}.")
        return
    if found.no_cause:
        st.info("No cause: the normal period by itself shows as much as what is asked about. The order below is that of noise.")
    picture.show(suspicion.html(found.ranked), key="suspects")
    st.caption(
        "Strongest first; bars are beside the strongest. It is a suspicion with its reasons, and several components may have contributed."
    )


def _traces(home: Home, run_id: str) -> None:
    listed = next((entry.result for entry in data.runs(home) if entry.run_id == run_id), None)
    if listed is None:
        st.info("Its run is not in this home any more, so it is not known which traces are its own.")
        return
    traces.tab(home, data.run(home, listed))


@st.cache_data(max_entries=20, show_spinner=False)
def _looked(snapshot_dir: str) -> Looked:
    return suspects.of(Path(snapshot_dir))
