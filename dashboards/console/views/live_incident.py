"""An incident as it happens, on the Incidents page: its course, what people do about it, what to do next, and its traces."""

from __future__ import annotations

import time

import streamlit as st

from dashboards.console import desk, next_step, responding
from dashboards.console import traces as stretches
from dashboards.console.draw import steps
from dashboards.console.next_step import NextStep
from dashboards.console.views import frame, picture, sights, traces
from postmortems.incidents import LiveIncident
from reference_app.kit.home import Home

LINK, TRACE = "live", "live_trace"
"""Query parameters of a deep link: `/incidents?live=<id>&live_trace=<32 hexadecimal digits>`."""


def section(home: Home) -> None:
    """One that is chosen, the newest at first. Its traces are read when the page is, everything else again and again."""
    known = {incident.id: incident for incident in responding.known(home)}
    options = _options(known)
    chosen = _choose(options) if known else None
    _happens(home, chosen, options)
    if chosen is None or known[chosen].run_id or responding.drafted(home, chosen):
        return
    st.subheader("Traces of its time")
    traces.within(home, stretches.of_live(known[chosen], time.time()), link=TRACE)


def _choose(options: dict[str, str]) -> str:
    linked = st.query_params.get(LINK)
    chosen = frame.choose("Incident as it happens", options, link=LINK)
    if linked not in (None, chosen):
        st.query_params.pop(TRACE, None)  # it is one of the incident before
    st.query_params[LINK] = chosen
    return chosen


@st.fragment(run_every=sights.REFRESH_S)
def _happens(home: Home, chosen: str | None, drawn: dict[str, str]) -> None:
    """What was `drawn` to choose from is held against what there is now."""
    known = {incident.id: incident for incident in responding.known(home)}
    if _options(known) != drawn:
        st.rerun()
    if chosen is None:
        st.info(
            "No page ever opened an incident here, so nothing is to be done. The first page opens one, with or without a drill; "
            "it then stands here with its course, its traces and the next step."
        )
        frame.link("Start a drill", "/drills?view=Catalogue", key="startdrill")
        return
    incident = known[chosen]
    picture.show(steps.html(responding.rows(home, incident)), key="happens")
    if incident.status != "closed":
        _respond(home, incident)
    if responding.drafted(home, incident.id):
        frame.link("Its evidence is frozen: see it", f"/incidents?incident={incident.id}", key="seeevidence")
    elif incident.run_id:
        st.caption("A drill is behind it, which drafts its postmortem when it ends.")
    else:
        advise(next_step.live(incident))


def advise(step: NextStep) -> None:
    """What to do now."""
    st.markdown(f"Next step: {step.told}")
    st.code(step.command, language="bash")


def _options(known: dict[str, LiveIncident]) -> dict[str, str]:
    return {name: responding.option(incident) for name, incident in known.items()}


def _respond(home: Home, incident: LiveIncident) -> None:
    by = desk.login()
    with st.container(horizontal=True, vertical_alignment="bottom", key="respond"):
        if st.button("Acknowledge", key="ack", icon=":material/front_hand:", disabled=incident.acknowledged_at is not None):
            responding.act(home, incident, "ack", by=by)
            st.rerun()
        if st.button("Silence for 30 min", key="silence", icon=":material/notifications_off:"):
            if refused := responding.silence(home, incident, by=by):
                st.error(refused)
            else:
                st.rerun()
        if st.button("Close", key="close", icon=":material/check:"):
            responding.act(home, incident, "close", by=by)
            st.rerun()
        text = st.text_input("Note", key="note", placeholder="what you saw, decided or did", width=380)
        if st.button("Add the note", key="add-note", disabled=not text.strip()):
            responding.act(home, incident, "note", by=by, text=text.strip())
            st.rerun()
