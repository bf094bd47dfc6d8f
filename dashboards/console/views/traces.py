"""Traces of a run or an incident: choose a slow or failing request, see it as a waterfall."""

from __future__ import annotations

import streamlit as st

from dashboards.console import traces
from dashboards.console.data import Run
from dashboards.console.draw import trace_list, waterfall
from dashboards.console.traces import Choice, NoTracesError, Stretch
from dashboards.console.views import frame, picture
from reference_app.kit import deciders
from reference_app.kit.home import Home

LINK = "trace"
"""Query parameter of a deep link: `?trace=<32 hexadecimal digits>`."""
_CHOICES: dict[Choice, str] = {"slowest": "Slowest", "failing": "Failing", "exemplars": "From exemplars"}
_NONE: dict[Choice, str] = {
    "slowest": "No request of this {} was traced.",
    "failing": "No traced request of this {} failed.",
    "exemplars": "The latency histograms kept no exemplar of this {}: Prometheus keeps the newest only, while the lab lives.",
}


def tab(home: Home, run: Run) -> None:
    """The whole tab."""
    if run.plan is None:
        st.info("This run has no plan, so it is not known when it was.")
        return
    within(home, traces.of_run(run.plan))


def within(home: Home, stretch: Stretch, *, link: str = LINK) -> None:
    """Traces to choose from and the chosen one; `link` is its query parameter where a page shows more than one list."""
    if not traces.recorded(home):
        st.info(f"This {stretch.what} has no traces: nothing was ever recorded in this lab.")
        _how()
        return
    choice: Choice = st.segmented_control(
        "Which traces", list(_CHOICES), format_func=lambda name: _CHOICES[name], default="slowest", required=True, key=_key("choice", link),
        label_visibility="collapsed",
    )  # fmt: skip
    chosen = st.query_params.get(link)
    picked = _list(home, stretch, choice, chosen, key=_key(f"list-{choice}", link))
    if picked and picked != chosen:
        st.query_params[link] = picked
        st.rerun()
    if chosen:
        one(home, chosen, key=_key("spans", link))


def _key(name: str, link: str) -> str:
    return name if link == LINK else f"{name}_{link}"


def _list(home: Home, stretch: Stretch, choice: Choice, chosen: str | None, *, key: str) -> str | None:
    try:
        found = traces.within(home, stretch, choice)
    except NoTracesError as error:
        st.info(str(error))
        return None
    if not found:
        st.info(_NONE[choice].format(stretch.what))
        if choice == "slowest":
            _how()
        return None
    return picture.show(trace_list.html(found, chosen), key=key)


def one(home: Home, trace_id: str, *, key: str = "spans") -> None:
    """A trace as a waterfall."""
    try:
        spans = traces.one(home, trace_id)
    except ValueError as error:
        st.warning(f"The link is broken: {frame.quoted(str(error))}.")
        return
    if not spans:
        st.warning(
            f"No span of trace `{trace_id}` is here. A span needs up to 2 s to be written; one that the collector did not take is lost."
        )
        return
    with st.container(border=True, key=f"waterfall-{key}"):
        picture.show(waterfall.html(spans), key=key)
        st.caption(
            f"`failwhale trace show {trace_id}` shows the same, `failwhale logs --request {trace_id}` what the services wrote about it."
        )


def _how() -> None:
    share = deciders.DECIDERS["trace_sampling"].default / deciders.ON
    st.markdown(f"Services record {share:.0%} of all requests unless the decider says otherwise. To see every request from now on:")
    st.code("failwhale decider set trace_sampling 10000", language="bash")
