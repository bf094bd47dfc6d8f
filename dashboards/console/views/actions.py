"""What the console may do to the lab: start a drill, halt chaos, resume it. Each spawns a command; what harms asks first."""

from __future__ import annotations

import time
from pathlib import Path

import msgspec
import streamlit as st

from chaos import catalogue
from chaos.catalogue import Experiment
from dashboards.console.draw import progress as bar
from dashboards.console.lab.sight import Sight
from dashboards.console.spawn import Spawner
from dashboards.console.views import picture, sights
from reference_app.contract import plan as plans
from reference_app.contract.plan import Plan
from reference_app.kit.home import Home

REASON = "halted from the console"
_STARTED = "drills-started"


@st.fragment(run_every=sights.REFRESH_S)
def panel() -> None:
    """The buttons, and how the last drill that was started here ended."""
    sight, spawner = sights.now(), _spawner(str(Home.from_environment().path))
    busy = sight.held is not None or spawner.running() is not None
    with st.container(horizontal=True, vertical_alignment="center", key="actions"):
        _drill(spawner, sight, disabled=busy or sight.halted is not None, why=_why_not(sight, busy=busy))
        if sight.halted is None:
            _halt(spawner, disabled=sight.lab is None)
        else:
            _resume(spawner)
    _ended(spawner)


def progress(sight: Sight) -> None:
    """How far the run is that holds the lab, or that was just started here."""
    spawner = _spawner(str(Home.from_environment().path))
    started = spawner.running()
    plan = _plan(sight.held) if sight.held else None
    if plan is not None:
        picture.show(bar.html(bar.of_plan(plan, sight.at)), key="progress")
    elif started is not None:
        picture.show(bar.html(bar.before_plan(started.drill, spawner.said())), key="progress")
    elif sight.held is not None:
        picture.show(bar.html(bar.without_plan(sight.held)), key="progress")


def _drill(spawner: Spawner, sight: Sight, *, disabled: bool, why: str) -> None:
    shut = f"drill-{st.session_state.get(_STARTED, 0)}"  # a new key is a popover that is shut again
    with st.popover("Start a drill", icon=":material/play_arrow:", disabled=disabled, help=why or None, key=shut):
        unfit = {name: experiment.extension.why_not(sight.lab) if sight.lab else "" for name, experiment in _experiments().items()}
        chosen = st.selectbox("Experiment", sorted(unfit, key=lambda name: (bool(unfit[name]), name)), key="experiment")
        experiment = _experiments()[chosen]
        truth = experiment.extension.truth
        st.markdown(f"**{experiment.title}.** {experiment.description}")
        st.markdown(
            f"It does `{truth.fault}` to {', '.join(f'`{name}`' for name in truth.components)} under load, takes it back, audits every "
            f"acknowledged post and drafts a postmortem: about 3.5 minutes. Predicted verdict: **{experiment.extension.expected_verdict}**."
        )
        if unfit[chosen]:
            st.warning(unfit[chosen])
        if st.button("Break it now", type="primary", disabled=disabled or bool(unfit[chosen]), key="start"):
            spawner.start_drill(chosen, now=time.time())
            st.session_state[_STARTED] = st.session_state.get(_STARTED, 0) + 1
            st.rerun()


def _halt(spawner: Spawner, *, disabled: bool) -> None:
    with st.popover("Halt chaos", icon=":material/front_hand:", disabled=disabled):
        st.markdown(
            "Takes every fault back at once and refuses new ones until chaos is resumed. A drill under way goes on without its fault and is judged as interrupted."
        )
        reason = st.text_input("Reason", REASON, key="reason")
        if st.button("Undo everything and halt", type="primary", key="halt"):
            _told(spawner, "chaos", "halt", reason.strip() or REASON)


def _resume(spawner: Spawner) -> None:
    if st.button("Resume chaos", icon=":material/lock_open:", key="resume"):
        _told(spawner, "chaos", "resume")


def _told(spawner: Spawner, *arguments: str) -> None:
    answer = spawner.run(*arguments)
    sights.forget()
    st.toast(answer.text or "done", icon=":material/check:" if answer.ok else ":material/error:")
    st.rerun()


def _ended(spawner: Spawner) -> None:
    ended = spawner.ended()
    if ended is None:
        return
    with st.container(horizontal=True, vertical_alignment="center", key="ended"):
        if ended.run_id is None:
            st.warning(f"The drill `{ended.drill}` did not begin: {ended.complaint}")
        else:
            st.markdown(f"The drill `{ended.drill}` ended: **{ended.verdict}**", width="content")
            st.link_button("See the run", f"/drills?run={ended.run_id}", icon=":material/query_stats:")
        if st.button("Dismiss", key="dismiss", type="tertiary"):
            spawner.dismiss()
            st.rerun()


def _why_not(sight: Sight, *, busy: bool) -> str:
    if busy:
        return "A run holds the lab: one at a time."
    return "Chaos is halted: resume it first." if sight.halted is not None else ""


def _plan(run_id: str) -> Plan | None:
    try:
        return msgspec.json.decode((Home.from_environment().runs / run_id / plans.FILE).read_bytes(), type=Plan)
    except (FileNotFoundError, msgspec.DecodeError):
        return None


@st.cache_resource(ttl=60, show_spinner=False)
def _experiments() -> dict[str, Experiment]:
    return {name: catalogue.load(name) for name in catalogue.names()}


@st.cache_resource(max_entries=4, show_spinner=False)
def _spawner(path: str) -> Spawner:
    return Spawner(Home(Path(path)))
