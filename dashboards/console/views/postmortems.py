"""Postmortems: every incident of this lab, and one of them with its text, the way to publishing it, charts, figures and the check of its numbers."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from dashboards.console import incident_texts, incidents, texts
from dashboards.console.incidents import Listed, Opened
from dashboards.console.views import editing, frame
from postmortems.model import Incident
from reference_app.kit.home import Home

LINK = "incident"
"""Query parameter of a deep link: `/postmortems?incident=<id>`."""
_CHECKED = "checked"


def page() -> None:
    """The whole page."""
    home = Home.from_environment()
    frame.above()
    st.title("Postmortems")
    listed = incidents.listed(home)
    known = [entry.incident for entry in listed if entry.incident is not None]
    if not listed:
        _nothing_yet(home)
        return
    _list(listed)
    if known:
        _one(home, incidents.opened(home, _choose(known)))


def _nothing_yet(home: Home) -> None:
    st.info(f"There is no postmortem in `{home.incidents}`. Every drill drafts one; for a run that has none:")
    st.code("failwhale postmortem new RUN_ID", language="bash")


def _list(listed: list[Listed]) -> None:
    table = [incident_texts.list_row(entry) for entry in listed]
    config = {
        "began": st.column_config.DatetimeColumn("began (UTC)", format="YYYY-MM-DD HH:mm:ss", timezone="UTC", width=150),
        "to detect": st.column_config.NumberColumn("to detect", format="%.1f s"),
        "id": st.column_config.TextColumn("id", width="small"),
    }
    st.dataframe(table, hide_index=True, column_config=config, height=min(36 * (len(table) + 1), 260), key="incidents")


def _choose(known: list[Incident]) -> Incident:
    by_id = {incident.header.id: incident for incident in known}
    options = {name: incident_texts.option(incident) for name, incident in by_id.items()}
    chosen = frame.choose("Postmortem", options, link=LINK)
    st.query_params[LINK] = chosen
    return by_id[chosen]


def _one(home: Home, opened: Opened) -> None:
    header = opened.incident.header
    st.header(header.title, divider="gray")
    with st.container(horizontal=True, vertical_alignment="center", key="state"):
        st.badge(header.status, color="gray")
        if header.verdict:
            st.badge(header.verdict, color=texts.verdict_colour(header.verdict, header.expected_verdict))
        predicted = f" · predicted **{header.expected_verdict}**" if header.expected_verdict else ""
        st.markdown(f"{incident_texts.severity(header)}{predicted}", width="content")
    for column, (label, value) in zip(st.columns(5), incident_texts.headline(opened.incident).items(), strict=True):
        column.metric(label, value, border=True)
    _check(home, opened)
    parts: dict[str, Callable[[], None]] = {
        "Text": lambda: _text(opened),
        "Write": lambda: editing.write(home, opened),
        "Review, actions, publish": lambda: editing.steps(home, opened),
        "Charts": lambda: _charts(opened),
        "Every figure": lambda: _figures(opened),
    }
    for tab, draw in zip(st.tabs(list(parts), key="part", bind="query-params"), parts.values(), strict=True):
        if tab.open:
            with tab:
                draw()


def _check(home: Home, opened: Opened) -> None:
    """Its result stays until this postmortem changes or another one is opened."""
    incident_id = opened.incident.header.id
    with st.container(horizontal=True, vertical_alignment="center", key="acts"):
        if st.button("Check every number", icon=":material/fact_check:", key="check"):
            with st.spinner("deriving every number again from the frozen snapshot"):
                st.session_state[_CHECKED] = opened, incidents.checked(home, incident_id)
        if opened.markdown is not None:
            st.download_button(
                "Download Markdown", opened.markdown, f"{incident_id}.md", "text/markdown", icon=":material/download:", key="download",
                on_click="ignore",
            )  # fmt: skip
        if not opened.incident.header.real_incident:
            frame.link("See the run", f"/drills?run={opened.incident.header.run_id}", key="seerun")
    checked, findings = st.session_state.get(_CHECKED, (None, []))
    if checked != opened:
        return
    if findings:
        st.error(f"{len(findings)} findings:\n" + "\n".join(f"- {finding}" for finding in findings))
    else:
        st.success(
            "Every number of text, record and charts is what the frozen snapshot gives, and the snapshot is the one that was frozen."
        )


def _text(opened: Opened) -> None:
    if opened.readable is None:
        st.warning(f"Its text is missing: there is no `{opened.path}`. This drafts it again from the snapshot:")
        st.code(f"failwhale postmortem new {opened.incident.header.id}", language="bash")
        return
    with st.container(border=True, key="postmortem"):
        st.markdown(opened.readable)
    st.caption(
        f"People finish it: under Write, or in `{opened.path}` with any editor. `failwhale postmortem check` derives its numbers again."
    )


def _charts(opened: Opened) -> None:
    if not opened.charts:
        st.info("It has no charts: the load left no history.")
        return
    columns = st.columns(2, gap="medium")
    for number, (name, specification) in enumerate(opened.charts.items()):
        columns[number % 2].vega_lite_chart(spec=specification, width="stretch", key=f"figure-{name}")
    st.caption("Red band: the fault is in force. Dashed rules: an alert fires (red a page, amber a ticket); point at one for its name.")


def _figures(opened: Opened) -> None:
    st.dataframe(incident_texts.figure_rows(opened.incident), hide_index=True, key="every-figure", height=460)
    st.caption("Each is derived from the file of the snapshot that stands beside it, and from nothing else.")
