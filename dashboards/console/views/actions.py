"""What the console may do to the lab: halt chaos, resume it, and follow a drill that it started. Each spawns a command; what harms asks first."""

from __future__ import annotations

from pathlib import Path

import msgspec
import streamlit as st

from dashboards.console.draw import overview
from dashboards.console.draw import progress as bar
from dashboards.console.lab.sight import Sight
from dashboards.console.spawn import Spawner
from dashboards.console.views import frame, picture, sights
from reference_app.contract import plan as plans
from reference_app.contract.plan import Plan
from reference_app.kit.home import Home

REASON = "halted from the console"


@st.fragment(run_every=sights.REFRESH_S)
def panel() -> None:
    """The buttons, and how the last drill that was started here ended."""
    sight = sights.now()
    with st.container(horizontal=True, vertical_alignment="center", key="actions"):
        why = why_not(sight)
        frame.link("Start a drill", "/drills?view=Catalogue", key="startdrill", why_not=why)
        if sight.halted is None:
            _halt(spawner(), disabled=sight.lab is None)
        else:
            _resume(spawner())
    ended(spawner(), page="/drills")


@st.fragment(run_every=sights.REFRESH_S)
def running() -> None:
    """How far the run is that holds the lab, its way out, and how the last one that was started here ended."""
    sight = sights.now()
    progress(sight)
    if sight.held is not None and sight.halted is None:
        _halt(spawner(), disabled=False)
    ended(spawner(), page="/drills")


def situation(sight: Sight) -> None:
    """What is wrong with the sight itself, what one must know, and how far a run is."""
    if sight.trouble is not None:
        frame.trouble(sight.trouble)
    if told := overview.notices_html(sight):
        picture.show(told, key="notices")
    progress(sight)


def progress(sight: Sight) -> None:
    """How far the run is that holds the lab, or that was just started here."""
    started = spawner().running()
    plan = _plan(sight.held) if sight.held else None
    if plan is not None:
        picture.show(bar.html(bar.of_plan(plan, sight.at)), key="progress")
    elif started is not None:
        picture.show(bar.html(bar.before_plan(started.drill, spawner().said())), key="progress")
    elif sight.held is not None:
        picture.show(bar.html(bar.without_plan(sight.held)), key="progress")


def ended(spawner: Spawner, *, page: str) -> None:
    """How the last one that was started here ended, until somebody has seen it; `page` shows its run."""
    last, work = spawner.ended(), spawner.work
    if last is None:
        return
    with st.container(horizontal=True, vertical_alignment="center", key=f"{work}-ended"):
        if last.run_id is None:
            st.warning(f"The {work} `{last.drill}` did not begin: {last.complaint}")
        else:
            st.markdown(f"The {work} `{last.drill}` ended: **{last.verdict}**", width="content")
            frame.link("See the run", f"{page}?run={last.run_id}", key=f"see-{work}")
        if st.button("Dismiss", key=f"dismiss-{work}", type="tertiary"):
            spawner.dismiss()
            st.rerun()


def why_not(sight: Sight) -> str:
    """What keeps a drill from being started now, in a sentence; empty when nothing does."""
    if sight.held is not None or spawner().running() is not None:
        return "A run holds the lab: one at a time."
    return "Chaos is halted: resume it first." if sight.halted is not None else ""


def spawner() -> Spawner:
    """Whoever starts the commands of this lab."""
    return _spawner(str(Home.from_environment().path))


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


def _plan(run_id: str) -> Plan | None:
    try:
        return msgspec.json.decode((Home.from_environment().runs / run_id / plans.FILE).read_bytes(), type=Plan)
    except (FileNotFoundError, msgspec.DecodeError):
        return None


@st.cache_resource(max_entries=4, show_spinner=False)
def _spawner(path: str) -> Spawner:
    return Spawner(Home(Path(path)))
