"""Load: what a preset plans, a load by itself that is started and stopped here, and whether a recorded one may be believed."""

from __future__ import annotations

import time
from pathlib import Path

import streamlit as st

from chaos import events
from dashboards.console import loads, traces
from dashboards.console.draw import progress as bar
from dashboards.console.draw import units
from dashboards.console.lab.sight import Sight
from dashboards.console.loads import Recorded
from dashboards.console.spawn import Spawner
from dashboards.console.views import actions, frame, picture, sights, swarming
from dashboards.console.views import traces as waterfall
from loadgen import plans
from loadgen.model import clients, presets
from loadgen.progress import Progress
from postmortems import charts
from reference_app.contract import topology
from reference_app.contract.plan import Plan
from reference_app.kit.home import Home

LINK = "run"
"""Query parameter of a deep link: `/load?run=<id>`, and `trace=<id>` for one of its requests."""
_SCALES = {1.0: "as long as a drill", 0.5: "half as long", 0.25: "a quarter as long"}


def page() -> None:
    """The whole page."""
    home = Home.from_environment()
    frame.above()
    st.title("Load")
    _running()
    preset, scale = _plan()
    swarming.section(preset, scale, _why_not)
    st.header("Recorded loads", divider="gray")
    if not (known := loads.ids(home)):
        st.info("No load is recorded yet. Start one above, or a drill, which sends one too; or from a terminal:")
        st.code("failwhale load run goal", language="bash")
        return
    chosen = frame.choose("Recorded load", {run_id: run_id for run_id in known}, link=LINK)
    st.query_params[LINK] = chosen
    _one(home, chosen)


def _plan() -> tuple[str, float]:
    """The preset that is picked, and its length."""
    st.header("What a preset plans", divider="gray")
    with st.container(horizontal=True, vertical_alignment="bottom", key="preset-choice"):
        preset = st.selectbox("Preset", list(presets.PRESETS), key="preset", bind="query-params", width=260)
        crowd = st.selectbox(
            "Clients", list(clients.CLIENTS), key="clients", width=220, help="How those who send behave when an answer is late or bad."
        )
        scale = st.selectbox("Length", list(_SCALES), format_func=_SCALES.__getitem__, key="scale", width=220)
    st.markdown(f"**{presets.PRESETS[preset].label}** · {clients.CLIENTS[crowd].label}")
    phases, lab = plans.scaled(scale, {}), sights.now().lab
    share = topology.load_of(lab.topology) if lab else 1.0
    seconds = loads.expected(preset, phases, share)
    st.altair_chart(loads.planned(seconds, phases), width="stretch", key="planned")
    total = sum(second.reads + second.posts for second in seconds)
    st.caption(
        f"{units.count(total)} arrivals in {units.lasting(phases[-1].end)}, at {share:.0%} of the preset's rates, which is what this lab is given."
    )
    _start(preset if crowd == clients.PATIENT.name else f"{preset}+{crowd}", scale)
    return preset, scale


@st.fragment(run_every=sights.REFRESH_S)
def _start(preset: str, scale: float) -> None:
    why = _why_not(sights.now())
    with st.container(horizontal=True, vertical_alignment="center", key="load-start"):
        if st.button(f"Send {preset}", icon=":material/play_arrow:", type="primary", disabled=bool(why), key="send"):
            _spawner().start_load(preset, now=time.time(), scale=scale)
            st.rerun()
        st.caption(why or "A load without a fault, recorded like a drill's.")


def _why_not(sight: Sight) -> str:
    if sight.lab is None or (sight.trouble is not None and sight.trouble.kind == "down"):
        return swarming.DOWN
    if _spawner().running() is not None or loads.running(Home.from_environment(), sight.at) is not None:
        return "A load runs: one at a time."
    return "" if sight.held is None else "A run holds the lab: one at a time."


@st.fragment(run_every=sights.REFRESH_S)
def _running() -> None:
    """How a load does that runs by itself, and how the last one that was started here ended."""
    spawner, home, now = _spawner(), Home.from_environment(), time.time()
    plan, started = loads.running(home, now), spawner.running()
    if plan is not None:
        _course(home, plan, now)
    elif started is not None:
        picture.show(bar.html(bar.before_plan(started.drill, spawner.said())), key="course")
    if started is not None and st.button("Stop the load", icon=":material/stop:", key="stop-load"):
        spawner.stop()
        st.toast("It is told to stop, and keeps its record.", icon=":material/stop:")
    actions.ended(spawner, page="/load")


def _course(home: Home, plan: Plan, now: float) -> None:
    picture.show(bar.html(bar.of_plan(plan, now)), key="course")
    seen = _progress(str(home.runs / plan.run_id), plan).read(now)
    due = next((second for second in loads.expected_of(plan) if second.t == int(seen.load_second)), None)
    told = {
        "Planned": units.rate(due.reads + due.posts if due else None), "Offered": units.rate(seen.offered),
        "Good pages": units.rate(seen.good), "Errors": units.rate(seen.errors),
        "p99": units.seconds(None if seen.p99_ms is None else seen.p99_ms / 1000),
    }  # fmt: skip
    for column, (label, value) in zip(st.columns(len(told)), told.items(), strict=True):
        column.metric(label, value, border=True)


def _one(home: Home, run_id: str) -> None:
    found = loads.recorded(home, run_id)
    if found is None or found.report is None:
        st.warning(f"The record of {run_id} cannot be read: another version left it, or it was cut off.")
        return
    load = found.report.load
    with st.container(horizontal=True, vertical_alignment="center", key="validity"):
        st.badge("valid" if load.valid else "not valid", color="green" if load.valid else "orange")
        st.markdown(f"preset **{load.preset}**, seed {found.plan.seed}, topology {found.plan.topology}", width="content")
    st.markdown("\n".join(f"- {reason}" for reason in load.invalid_reasons))
    for column, (label, value) in zip(st.columns(6), loads.headline(load).items(), strict=True):
        column.metric(label, value, border=True)
    marks = charts.marks(found.plan, events.read(home.runs / run_id), ())
    st.altair_chart(loads.offered(found, marks), width="stretch", key="offered")
    st.caption("Offered above planned: retries, replays and reactions of clients. Red band: a fault is in force.")
    st.subheader("Phases")
    st.dataframe(list(loads.phase_rows(load)), hide_index=True, key="phases")
    _slowest(home, found)


def _slowest(home: Home, found: Recorded) -> None:
    st.subheader("The slowest requests")
    rows = list(loads.slow_rows(found.report.load)) if found.report else []
    if not rows:
        st.info("None is known: an invalid measurement has no latencies.")
        return
    st.dataframe(rows, hide_index=True, key="slowest")
    with_trace = [row["trace"] for row in rows if row["trace"]]
    if not with_trace or not traces.recorded(home):
        st.caption("None of them was traced. `failwhale decider set trace_sampling 10000` traces every request from now on.")
        return
    linked = st.query_params.get(waterfall.LINK)
    picked = st.selectbox(
        "See one as a waterfall", with_trace, index=with_trace.index(linked) if linked in with_trace else None, key="slow-trace"
    )
    if picked:
        st.query_params[waterfall.LINK] = picked
        waterfall.one(home, picked)


@st.cache_resource(max_entries=2, show_spinner=False)
def _progress(run_dir: str, _plan: Plan) -> Progress:
    return Progress(Path(run_dir), _plan)


def _spawner() -> Spawner:
    return _cached_spawner(str(Home.from_environment().path))


@st.cache_resource(max_entries=4, show_spinner=False)
def _cached_spawner(path: str) -> Spawner:
    return Spawner(Home(Path(path)), "load")
