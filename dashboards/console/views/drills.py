"""Drills: recorded runs, one of them with its charts, verdict, audit, alerts, clocks and postmortem; the catalogue; two runs compared."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import streamlit as st

from dashboards.console import charts, data, texts
from dashboards.console.data import Listed, Result, Run
from dashboards.console.views import actions, catalogue, compare, frame, traces
from reference_app.kit.home import Home

LINK = "run"
"""Query parameter of a deep link: `/drills?run=<id>`."""
RUNS = "Recorded runs"


def page() -> None:
    """The whole page."""
    home = Home.from_environment()
    frame.above()
    st.title("Drills")
    actions.running()
    view = st.segmented_control(
        "View", [RUNS, "Catalogue", "Compare"], default=RUNS, required=True, key="view", label_visibility="collapsed", bind="query-params"
    )
    if view == "Catalogue":
        catalogue.tab(home)
        return
    listed = data.runs(home)
    results = [entry.result for entry in listed if entry.result is not None]
    if view == "Compare":
        compare.tab(home, results)
    elif not listed:
        _nothing_yet(home)
    else:
        _list(listed)
        if results:
            _one(home, data.run(home, _choose(results)))


def _nothing_yet(home: Home) -> None:
    st.info(
        f"No drill is recorded in `{home.runs}`. Start one from the catalogue above, or from a terminal in the checkout, in about four minutes:"
    )
    st.code("make demo", language="bash")


def _list(listed: list[Listed]) -> None:
    table = [texts.list_row(entry) for entry in listed]
    config = {
        "started": st.column_config.DatetimeColumn("started (UTC)", format="YYYY-MM-DD HH:mm:ss", timezone="UTC", width=150),
        "run": st.column_config.TextColumn("run", width="small"),
    }
    st.dataframe(table, hide_index=True, column_config=config, height=min(36 * (len(table) + 1), 260), key="runs")
    st.caption("Newest first. The catalogue starts another; Compare lays two beside one another.")


def _choose(results: list[Result]) -> Result:
    by_id = {result.run_id: result for result in results}
    linked = st.query_params.get(LINK)
    chosen = frame.choose("Run", {run_id: texts.option(result) for run_id, result in by_id.items()}, link=LINK)
    if linked not in (None, chosen):
        st.query_params.pop(traces.LINK, None)  # it is one of the run before
    st.query_params[LINK] = chosen
    return by_id[chosen]


def _one(home: Home, run: Run) -> None:
    result = run.result
    st.header(result.drill, divider="gray")
    _verdict(result)
    _headline(run)
    parts: dict[str, Callable[[], None]] = {
        "Charts": lambda: _charts(run),
        "Traces": lambda: traces.tab(home, run),
        "Audit, alerts, clocks": lambda: _evidence(result),
        "Postmortem": lambda: _postmortem(run),
    }
    linked = "Traces" if traces.LINK in st.query_params else None
    for tab, draw in zip(st.tabs(list(parts), default=linked, key="part", bind="query-params"), parts.values(), strict=True):
        if tab.open:
            with tab:
                draw()


def _verdict(result: Result) -> None:
    with st.container(horizontal=True, vertical_alignment="center", key="verdict"):
        st.badge(result.verdict, color=texts.verdict_colour(result.verdict, result.expected_verdict))
        st.markdown(f"the experiment predicts **{result.expected_verdict}**", width="content")
        if result.load is not None and not result.load.valid:
            st.badge("load invalid", color="orange", help="; ".join(result.load.invalid_reasons))
    hint = [f"It passes with: {result.passes_with}."] if result.passes_with and result.verdict == "deviated" else []
    st.markdown("\n".join(f"- {reason}" for reason in (*result.reasons, *hint)))


def _headline(run: Run) -> None:
    result, fault = run.result, run.result.load.phases.get("fault") if run.result.load else None
    audit = result.audit
    values = {
        "Lost posts": texts.NOT_AVAILABLE if audit is None or audit.lost is None else f"{audit.lost:,} of {audit.acknowledged:,}",
        "Duplicated": texts.NOT_AVAILABLE if audit is None or audit.duplicated is None else f"{audit.duplicated:,}",
        "Complete pages": texts.complete_pages(fault),
        "Time to detect": texts.seconds(result.clocks.ttd_s),
        "Recovery after undo": texts.seconds(result.clocks.recovery_after_undo_s),
    }
    for column, (label, value) in zip(st.columns(len(values)), values.items(), strict=True):
        column.metric(label, value, border=True, help="Of those served in the fault's phase." if label == "Complete pages" else None)


def _charts(run: Run) -> None:
    scale: Literal["linear", "log"] = "log" if st.toggle("Logarithmic latency", value=True, key="log") else "linear"
    drawn = charts.of_run(run, latency_scale=scale)
    if not drawn:
        st.info("This run has no load report, so there is nothing to draw.")
    columns = st.columns(2, gap="medium")
    for number, (name, chart) in enumerate(drawn.items()):
        columns[number % 2].altair_chart(chart, width="stretch", key=f"chart-{name}")
    st.caption("Red band: the fault is in force. Dashed rules: an alert fires (red a page, amber a ticket); point at one for its name.")


def _evidence(result: Result) -> None:
    left, right = st.columns(2, gap="medium")
    with left:
        st.subheader("Audit")
        _audit(result)
    with right:
        st.subheader("Clocks")
        st.dataframe(texts.clock_rows(result.clocks), hide_index=True, key="clocks")
    st.subheader("Alerts")
    if result.alerts is None:
        st.info("Alerts are not available: Prometheus was not there to be asked.")
    elif rows := texts.alert_rows(result.alerts):
        st.dataframe(rows, hide_index=True, key="alerts")
    else:
        st.info("No alert fired, and none was expected.")


def _audit(result: Result) -> None:
    if result.audit is None:
        st.info("The audit is not available: it did not run.")
        return
    if not result.audit.complete:
        st.warning(f"The audit is incomplete: {'; '.join(result.audit.reasons) or 'no reason recorded'}")
    st.dataframe(texts.audit_rows(result.audit), hide_index=True, key="audit")


def _postmortem(run: Run) -> None:
    if run.postmortem is None:
        st.info("This run has no postmortem. Draft one from a terminal:")
        st.code(f"failwhale postmortem new {run.result.run_id}", language="bash")
        return
    st.caption(f"`{run.postmortem_path}` · its numbers are checked by `failwhale postmortem check {run.result.run_id}`")
    with st.container(border=True, key="postmortem"):
        st.markdown(run.postmortem)
