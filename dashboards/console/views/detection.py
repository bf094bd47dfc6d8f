"""Detection: over all recorded runs, which faults were noticed, by what, how late, what fired in vain, and what diagnosis was worth."""

from __future__ import annotations

import time
from pathlib import Path

import streamlit as st

from dashboards.console.draw import matrix, units
from dashboards.console.draw.matrix import told
from dashboards.console.views import frame, picture
from dashboards.rules import windows
from postmortems import recordings, score
from postmortems.scorecard import Group, ScoreCard
from reference_app.kit.home import Home


def page() -> None:
    """The whole page."""
    home = Home.from_environment()
    frame.above()
    st.title("Detection")
    since = recordings.counted_since(recordings.starts(home))
    try:
        card = _card(str(home.path), since, _results(home), recordings.without_result([home], since=since, now=time.time()))
    except ValueError as error:
        st.warning(str(error))
        return
    if not card.per_drill:
        st.info(
            f"No fault is recorded in `{home.runs}`{f' since {since}' if since else ''}, so nothing can be said of the alerts. A library of them, scored:"
        )
        st.code("failwhale gameday chaos/gamedays/library.yaml\nfailwhale score", language="bash")
        return
    _headline(card, since)
    st.subheader(
        "Coverage",
        help="A drill that was run several times counts once, as noticed when most of its runs were. Point at a cell for its alerts.",
    )
    picture.show(matrix.html(card.matrix), key="matrix")
    _groups(card)
    _drills(card)


def _headline(card: ScoreCard, since: str) -> None:
    quiet = card.quiet
    values = {
        "Noticed": told(card.every.detected), "It or its caller named": told(card.every.right_component),
        "Median after a crash": units.seconds(card.by_sort["crash"].ttd.median),
        "Median after a grey fault": units.seconds(card.by_sort["grey"].ttd.median),
        "Shams with a page": told(quiet.sham_runs_with_a_page),
    }  # fmt: skip
    for column, (label, value) in zip(st.columns(len(values)), values.items(), strict=True):
        column.metric(label, value, border=True)
    st.caption(
        f"{card.runs} runs{f' since {since}' if since else ''}, of which {card.inconclusive} inconclusive and {card.invalid} with an invalid load, all counted; "
        f"{card.without_fault} should have had a fault and had none, {card.without_result} more left no result. Intervals are Wilson's, 95 %."
    )


def _groups(card: ScoreCard) -> None:
    groups: dict[str, Group] = {
        "all": card.every,
        "that expect an alert": card.expecting,
        "crash": card.by_sort["crash"],
        "grey": card.by_sort["grey"],
    }
    st.dataframe(
        [
            {"faults": name, "drills": group.drills, "noticed": told(group.detected), "it or its caller named": told(group.right_component),
             "the component itself": told(group.itself), "median": units.seconds(group.ttd.median), "p90": units.seconds(group.ttd.p90)}
            for name, group in groups.items()
        ],
        hide_index=True, key="groups",
    )  # fmt: skip
    quiet = card.quiet
    st.caption(
        f"In vain: {quiet.in_shams} alerts in {quiet.sham_runs} sham runs, {quiet.in_quiet_time} in {quiet.hours:.1f} quiet hours "
        f"({quiet.pages_in_quiet_time} of them pages){': ' + ', '.join(quiet.alerts) if quiet.alerts else ''}."
    )


def _drills(card: ScoreCard) -> None:
    st.subheader("By drill")
    st.dataframe(
        [
            {"drill": one.drill, "sort": one.sort, "runs": one.runs, "noticed": one.detected_runs, "right": one.right_runs,
             "first told by": ", ".join(one.alerts), "after": one.after_s, "missed": ", ".join(one.missed), "in vain": ", ".join(one.unexpected)}
            for one in card.per_drill
        ],
        hide_index=True, key="by-drill", column_config={"after": st.column_config.NumberColumn(format="%.1f s")},
    )  # fmt: skip


def _results(home: Home) -> list[tuple[str, int]]:
    """Every result there is, and when it was written."""
    return sorted((str(path), path.stat().st_mtime_ns) for path in home.runs.glob(f"*/{recordings.RESULT}"))


@st.cache_data(max_entries=4, show_spinner=False)
def _card(path: str, since: str, results: list[tuple[str, int]], lost: int) -> ScoreCard:  # noqa: ARG001 - other results are another card
    return score.score(recordings.read([Home(Path(path))], since=since), scrape_s=windows.LAB.scrape_s, without_result=lost)
