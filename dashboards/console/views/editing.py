"""Write on the Postmortems page: the text beside what lint finds in it, the gates, the actions and who did what."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import cast

import streamlit as st

from dashboards.console import desk as desks
from dashboards.console.desk import Said
from dashboards.console.incidents import Opened
from postmortems import actions, workflow
from postmortems.actions import Action, ActionError, Edit
from postmortems.model import State
from postmortems.workflow import Desk
from reference_app.kit.home import Home

_BY, _KEPT_BY, _SAID = "by", "kept-by", "desk-said"


def write(home: Home, opened: Opened) -> None:
    """The editor, and lint beside it."""
    if opened.markdown is None:
        st.warning("There is no text to edit: draft it again first.")
        return
    desk = desks.at(home, opened.incident.header.id, _name())
    _tell()
    left, right = st.columns([3, 2], gap="medium")
    with left:
        base, text = _edited(desk.incident_id, opened.markdown)
        if st.button("Save", type="primary", icon=":material/save:", key="save", disabled=text == base):
            _saved(desk, text, base)
        st.caption("The mark behind a number ties it to the frozen snapshot: keep it, and the check derives the number again.")
    with right:
        _lint(text, _listed(desk))


def steps(home: Home, opened: Opened) -> None:
    """From draft to closed."""
    status = opened.incident.header.status
    st.session_state.setdefault(_BY, _name())
    st.text_input("You are", key=_BY, width=260)
    desk = desks.at(home, opened.incident.header.id, _name())
    _tell()
    st.markdown(" → ".join(f"**{state}**" if state == status else state for state in desks.STATES))
    if status in workflow.NEXT:
        _forward(desk, status)
    else:
        st.success("It is closed: every action is done, shown by a re-run, or declined with a reason.")
    _print(desk)
    st.subheader("Actions")
    _actions(desk)
    if rows := desks.log_rows(desk):
        st.subheader("Who did what")
        st.dataframe(
            rows, hide_index=True, key="log", column_config={"when": st.column_config.DatetimeColumn("when (UTC)", timezone="UTC")}
        )


def _name() -> str:
    """Who works here: what stands at "You are", and while that is not on the page what stood there last."""
    name: str = st.session_state.get(_BY, st.session_state.get(_KEPT_BY, desks.login()))
    st.session_state[_KEPT_BY] = name
    return name


def _edited(incident_id: str, on_disk: str) -> tuple[str, str]:
    """The text that this page began from, and as it is written here now: both stay while other tabs are looked at and others write to the file."""
    begun, kept, widget = (f"{what}-{incident_id}" for what in ("begun", "kept", "text"))
    base = st.session_state.setdefault(begun, on_disk)
    if st.session_state.get(widget, st.session_state.get(kept, base)) == base != on_disk:  # nothing was written here
        base = st.session_state[begun] = st.session_state[kept] = st.session_state[widget] = on_disk
    st.session_state.setdefault(widget, st.session_state.get(kept, base))
    st.session_state[kept] = st.text_area("Text (Markdown)", height=620, key=widget)
    return base, st.session_state[kept]


def _saved(desk: Desk, text: str, base: str) -> None:
    said = desks.save(desk, text, opened=base)
    if said.done:
        st.session_state[f"begun-{desk.incident_id}"] = text
    _done(said)


def _lint(text: str, listed: Sequence[Action]) -> None:
    findings = desks.linted(text, listed)
    st.markdown(
        f"**Lint: {len(findings)} {'finding' if len(findings) == 1 else 'findings'}**"
        if findings
        else "**Lint** finds nothing to complain of."
    )
    with st.container(height=560, border=True, key="lint"):
        for finding in findings:
            where = finding.where or f"line {finding.line}"
            st.markdown(f":orange-badge[{finding.rule}] {where}: “{finding.quote}”")
            st.caption(f"Why: {finding.why}. Instead: {finding.instead}.")
        if not findings:
            st.caption("It looks for people named as causes, hindsight, a single root cause, and actions that nobody could finish.")


def _forward(desk: Desk, status: State) -> None:
    with st.spinner("deriving every number again"):
        unmet = desks.unmet(desk, status)
    reviewers: list[str] = []
    if status == "draft":
        named = st.text_input("Reviewers", placeholder="names, with commas between them", key="reviewers", width=420)
        reviewers = [name.strip() for name in named.split(",") if name.strip()]
    open_gates = [gate for gate in unmet if not (reviewers and gate.startswith("no reviewers"))]
    st.markdown(
        "\n".join(f"- :orange[✕] {gate}" for gate in open_gates) if open_gates else ":green[●] Every gate to the next state is met."
    )
    if st.button(desks.STEPS[status], type="primary", icon=":material/arrow_forward:", key="forward", disabled=bool(open_gates)):
        _done(desks.forward(desk, status, reviewers))


def _print(desk: Desk) -> None:
    with st.container(horizontal=True, key="print"):
        if st.button("Make a PDF", icon=":material/picture_as_pdf:", key="make-pdf"):
            with st.spinner("printing"):
                said = desks.printed(desk)
            _done(said)
        made = desks.pdf_of(desk)
        if made.exists():
            st.download_button("Download the PDF", made.read_bytes(), made.name, "application/pdf", key="pdf", on_click="ignore")


def _actions(desk: Desk) -> None:
    listed = _listed(desk)
    if listed:
        st.dataframe(desks.action_rows(listed), hide_index=True, key="actions-table")
    else:
        st.info("No action yet. One that can be finished says who, until when, and how anybody can tell that it is done.")
    with st.form("add-action", clear_on_submit=True):
        text = st.text_input("What is to change", placeholder="Alert on …, limit …, document …", key="action-text")
        left, middle, right = st.columns(3)
        owner = left.text_input("Owner", key="action-owner")
        due: date | None = middle.date_input("Due", None, key="action-due")
        kind = right.selectbox("Kind", actions.KINDS, key="action-kind")
        done_when = st.text_input("Done when", placeholder="what anybody can then see", key="action-done-when")
        if st.form_submit_button("Add the action", icon=":material/add:") and text.strip():
            action = Action("", text.strip(), 0.0, cast("actions.Kind", kind), owner.strip(), due, done_when.strip())
            _done(desks.tried(lambda: workflow.add(desk, action), done="The action is added."))
    for doubt in desks.doubts(desk, listed):
        st.warning(doubt)
    if listed:
        _change(desk, listed)
    if unfinished := desks.unfinished(desk, listed):
        _finish(desk, unfinished)


def _change(desk: Desk, listed: Sequence[Action]) -> None:
    with st.expander("Change an action", icon=":material/edit:", key="change"):
        by_id = {action.id: action for action in listed}
        action = by_id[st.selectbox("Action", list(by_id), format_func=lambda name: f"{name}: {by_id[name].text}", key="change-which")]
        version = f"{desk.incident_id}-{hash(action)}"  # the form begins anew when the action became another
        with st.form(f"change-{version}", border=False):
            text = st.text_input("What is to change", action.text, key=f"change-text-{version}")
            left, right = st.columns(2)
            owner = left.text_input("Owner", action.owner, key=f"change-owner-{version}")
            due: date | None = right.date_input("Due", action.due, key=f"change-due-{version}")
            done_when = st.text_input("Done when", action.done_when, key=f"change-done-when-{version}")
            st.caption("What was there before stays below, under who did what. State and re-run are not changed here.")
            if st.form_submit_button("Change the action", icon=":material/edit:"):
                edit = Edit(text.strip(), owner.strip(), due, done_when.strip())
                _done(desks.tried(lambda: workflow.change(desk, action.id, edit), done=f"{action.id} is changed."))


def _finish(desk: Desk, unfinished: list[str]) -> None:
    with st.container(horizontal=True, vertical_alignment="bottom", key="finish"):
        action_id = st.selectbox("Open action", unfinished, key="open-action", width=140)
        rerun = st.text_input("Run of its drill after it", key="rerun", width=340)
        if st.button("Done, shown by that run", key="action-done", disabled=not rerun.strip()):
            _done(desks.tried(lambda: workflow.done(desk, action_id, rerun.strip()), done=f"{action_id} is done."))
        reason = st.text_input("Or why not", key="reason-declined", width=300)
        if st.button("Decline", key="action-declined", disabled=not reason.strip()):
            _done(desks.tried(lambda: workflow.decline(desk, action_id, reason.strip()), done=f"{action_id} is declined."))


def _listed(desk: Desk) -> Sequence[Action]:
    try:
        return actions.read(desk.directory)
    except ActionError as error:
        st.error(str(error))
        return ()


def _done(said: Said) -> None:
    """Said after the page was drawn anew."""
    st.session_state[_SAID] = said
    st.rerun()


def _tell() -> None:
    said: Said | None = st.session_state.pop(_SAID, None)
    if said is None:
        return
    if said.done:
        st.success(said.done)
    for sentence in said.unmet:
        st.error(sentence)
