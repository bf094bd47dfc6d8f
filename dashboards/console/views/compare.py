"""Compare on the Drills page: two recorded runs, phase by phase and on one clock."""

from __future__ import annotations

import streamlit as st

from chaos import comparison
from chaos.comparison import Seen
from dashboards.console import beside, data, texts
from dashboards.console.data import Result
from dashboards.console.views import frame
from reference_app.kit.home import Home

FIRST, SECOND = "first", "second"
"""Query parameters of a deep link: `/drills?view=Compare&first=<id>&second=<id>`."""


def tab(home: Home, results: list[Result]) -> None:
    """The whole view."""
    seen = {run.run_id: run for run in data.compared(home)}
    known = [result for result in results if result.run_id in seen]
    if len(known) < 2:
        st.info("Two recorded runs are needed. A drill and its sham twin show what the fault alone did:")
        st.code("failwhale drill kill-tweet-shard --sham\nfailwhale drill kill-tweet-shard", language="bash")
        return
    first, second = _choose(known, seen)
    for sentence in beside.said(first, second):
        st.markdown(sentence)
    table = beside.rows(comparison.compare(first, second))
    if table:
        st.dataframe(table, hide_index=True, key="compared", height=min(36 * (len(table) + 1), 400))
    else:
        st.info("They have no measured phase in common: the load of one is invalid, or did not run.")
    _charts(home, known, first, second)


def _choose(known: list[Result], seen: dict[str, Seen]) -> tuple[Seen, Seen]:
    options = {result.run_id: texts.option(result) for result in known}
    second = st.query_params.get(SECOND, next(iter(options)))
    partner = beside.partner(seen.get(second, seen[next(iter(options))]), [seen[name] for name in options])
    if FIRST not in st.query_params and partner is not None:
        st.query_params[FIRST] = partner
    left, right = st.columns(2, gap="medium")
    with left:
        chosen = [frame.choose("First", options, link=FIRST)]
    with right:
        chosen.append(frame.choose("Second", options, link=SECOND))
    st.query_params[FIRST], st.query_params[SECOND] = chosen
    return seen[chosen[0]], seen[chosen[1]]


def _charts(home: Home, known: list[Result], first: Seen, second: Seen) -> None:
    by_id = {result.run_id: result for result in known}
    drawn = beside.drawn(data.run(home, by_id[first.run_id]), data.run(home, by_id[second.run_id]))
    if not drawn:
        st.info("One of them has no load report, so there is nothing to draw.")
    columns = st.columns(2, gap="medium")
    for number, (name, chart) in enumerate(drawn.items()):
        columns[number % 2].altair_chart(chart, width="stretch", key=f"beside-{name}")
    st.caption("Grey is the first run, blue the second, each by its own clock. Red bands: a fault is in force. Dotted rules: phases.")
