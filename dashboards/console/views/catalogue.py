"""The catalogue on the Drills page: every drill, what one would do, and its start after a look ahead."""

from __future__ import annotations

import time

import streamlit as st

from chaos import catalogue
from chaos.catalogue import Experiment
from chaos.outlook import Outlook
from dashboards.console import data, library, outlook
from dashboards.console.lab.sight import Sight
from dashboards.console.library import Entry, Filter
from dashboards.console.outlook import NoOutlookError
from dashboards.console.views import actions, frame, sights
from reference_app.contract.topology import TOPOLOGIES
from reference_app.kit.home import Home

LINK = "drill"
"""Query parameter of a deep link: `/drills?view=Catalogue&drill=<name>`."""
_AHEAD = "looked-ahead"
_HOW = {False: "with its fault", True: "as its sham twin: every step, no effect"}


def tab(home: Home) -> None:
    """The whole view."""
    entries = library.entries(_experiments(), data.runs(home))
    wanted = _filter(entries)
    found = [entry for entry in entries if wanted.takes(entry)]
    if not found:
        st.info(f"None of the {len(entries)} drills is like that: take a filter away.")
        return
    _table(found, of=len(entries))
    by_name = {entry.experiment.name: entry for entry in found}
    chosen = frame.choose("Drill", {name: f"{name}: {entry.experiment.title}" for name, entry in by_name.items()}, link=LINK)
    st.query_params[LINK] = chosen
    _one(by_name[chosen])


def _filter(entries: list[Entry]) -> Filter:
    with st.container(horizontal=True, vertical_alignment="bottom", key="filter"):
        words = st.text_input("Search", placeholder="cache, replica, Twitter …", key="words", width=220)
        faults = st.multiselect("Fault", library.faults(entries), key="faults", placeholder="any", width=230)
        hit = st.multiselect("Component", library.groups(entries), key="components", placeholder="any", width=230)
        topologies = st.multiselect("Topology", list(TOPOLOGIES), key="topologies", placeholder="any", width=190)
        verdicts = st.multiselect("Predicted verdict", library.verdicts(entries), key="verdicts", placeholder="any", width=190)
        incidents = st.checkbox("Only re-enactments", key="reenactments", width="content")
    return Filter(words, tuple(faults), tuple(hit), tuple(topologies), tuple(verdicts), incidents)


def _table(found: list[Entry], *, of: int) -> None:
    config = {
        "harm": st.column_config.NumberColumn("harm", format="percent", help="predicted share of home pages that lack something"),
        "what happens": st.column_config.TextColumn(width=280),
        "source": st.column_config.LinkColumn(display_text="read"),
    }
    st.dataframe(
        [library.row(entry) for entry in found],
        hide_index=True,
        column_config=config,
        height=min(36 * (len(found) + 1), 300),
        key="library",
    )
    st.caption(f"{len(found)} of {of} drills.")


def _one(entry: Entry) -> None:
    experiment, wanted = entry.experiment, entry.experiment.extension
    st.markdown(f"**{experiment.title}.** {experiment.description}")
    if entry.reenacts:
        st.markdown(f"It re-enacts {entry.reenacts}{f': [where it is told]({wanted.source})' if wanted.source else ''}.")
    if wanted.passes_with:
        st.markdown(f"It passes with: {wanted.passes_with}.")
    if entry.last_run:
        st.markdown(f"Its last run ended **{entry.last_verdict}**: [see it](/drills?run={entry.last_run}).")
    sham: bool = st.radio("Run it", list(_HOW), format_func=_HOW.__getitem__, horizontal=True, key="sham")
    _launch(entry, sham=sham)


@st.fragment(run_every=sights.REFRESH_S)
def _launch(entry: Entry, *, sham: bool) -> None:
    """A drill starts only after somebody saw what it would do."""
    sight, name = sights.now(), entry.experiment.name
    unfit = entry.experiment.extension.why_not(sight.lab) if sight.lab else ""
    if unfit:
        st.warning(unfit)
    ahead: Outlook | None = st.session_state.get(_AHEAD)
    if ahead is None or (ahead.drill, ahead.sham) != (name, sham):
        if st.button("Look ahead", icon=":material/visibility:", key="look", disabled=bool(unfit)):
            _look(name, sham=sham)
        st.caption("First it tells whom it would hit and how far that reaches. Nothing is started or changed by that.")
        return
    _told(ahead)
    _confirm(ahead, sight, name, sham=sham)


def _look(name: str, *, sham: bool) -> None:
    with st.spinner("asking for a dry run"):
        try:
            st.session_state[_AHEAD] = outlook.of(actions.spawner(), name, sham=sham)
        except NoOutlookError as error:
            st.error(str(error))
            return
    st.rerun()


def _told(ahead: Outlook) -> None:
    for column, (label, value) in zip(st.columns(5), outlook.headline(ahead).items(), strict=True):
        column.metric(label, value, border=True)
    st.markdown("\n".join(f"- {sentence}" for sentence in outlook.sentences(ahead)))
    for remark in ahead.remarks:
        st.caption(f"Note: {remark}.")
    for reason in ahead.reasons:
        st.warning(f"It would not be run here and now: {reason}")


def _confirm(ahead: Outlook, sight: Sight, name: str, *, sham: bool) -> None:
    why = actions.why_not(sight)
    label = "Run the sham twin" if sham else "Break it now"
    with st.container(horizontal=True, vertical_alignment="center", key="confirm"):
        if st.button(label, type="primary", key="start", disabled=bool(why) or not ahead.possible, help=why or None):
            actions.spawner().start_drill(name, now=time.time(), sham=sham)
            st.session_state.pop(_AHEAD)
            st.rerun()
        if st.button("Not now", key="not-now", type="tertiary"):
            st.session_state.pop(_AHEAD)
            st.rerun()
        st.caption(why or "About three minutes: load, fault, undo, audit, verdict, postmortem. Halting undoes it at any moment.")


@st.cache_resource(ttl=60, show_spinner=False)
def _experiments() -> dict[str, Experiment]:
    return {name: catalogue.load(name) for name in catalogue.names()}
