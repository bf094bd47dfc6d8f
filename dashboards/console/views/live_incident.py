"""An incident as it happens, on the Incidents page: its course, and what people do about it."""

from __future__ import annotations

import streamlit as st

from dashboards.console import desk, responding
from dashboards.console.draw import steps
from dashboards.console.views import frame, picture, sights
from postmortems.incidents import LiveIncident
from reference_app.kit.home import Home

LINK = "live"
"""Query parameter of a deep link: `/incidents?live=<id>`."""


@st.fragment(run_every=sights.REFRESH_S)
def section(home: Home) -> None:
    """One that is chosen, the newest at first; nothing where none ever was."""
    known = {incident.id: incident for incident in responding.known(home)}
    if not known:
        st.caption("No page ever opened an incident here. The first one does, with or without a drill.")
        return
    chosen = frame.choose("Incident as it happens", {name: responding.option(incident) for name, incident in known.items()}, link=LINK)
    incident = known[chosen]
    picture.show(steps.html(responding.rows(home, incident)), key="happens")
    if incident.status != "closed":
        _respond(home, incident)


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
