"""Entry of the console: `failwhale console`, or plain `streamlit run dashboards/console/app.py`."""

from __future__ import annotations

import sys
from pathlib import Path

import streamlit as st

HERE = Path(__file__).resolve().parent
ROOT = str(HERE.parents[1])
if ROOT not in sys.path:  # plain `streamlit run` looks for modules beside this file only
    sys.path.insert(0, ROOT)


def overview() -> None:
    """Pages load what they need when they are opened: this and Live draw without pandas, Altair and Arrow."""
    from dashboards.console.views import overview as view  # noqa: PLC0415

    view.page()


def live() -> None:
    """The running lab."""
    from dashboards.console.views import live as view  # noqa: PLC0415

    view.page()


def load() -> None:
    """Loads without a fault."""
    from dashboards.console.views import load as view  # noqa: PLC0415

    view.page()


def drills() -> None:
    """Recorded runs."""
    from dashboards.console.views import drills as view  # noqa: PLC0415

    view.page()


def incidents() -> None:
    """Courses and suspects."""
    from dashboards.console.views import incidents as view  # noqa: PLC0415

    view.page()


def detection() -> None:
    """What alerts and diagnosis are worth."""
    from dashboards.console.views import detection as view  # noqa: PLC0415

    view.page()


def guide() -> None:
    """The tutorial."""
    from dashboards.console.views import help as view  # noqa: PLC0415

    view.page()


def postmortems() -> None:
    """Texts of incidents."""
    from dashboards.console.views import postmortems as view  # noqa: PLC0415

    view.page()


def main() -> None:
    """Lay out the pages and run the one that was asked for."""
    whale = str(HERE / "assets" / "whale.svg")
    st.set_page_config(page_title="failwhale", page_icon=whale, layout="wide")
    st.logo(str(HERE / "assets" / "wordmark.svg"), size="large")
    pages = [
        st.Page(overview, title="Overview", url_path="overview", icon=":material/dashboard:", default=True),
        st.Page(live, title="Live", url_path="live", icon=":material/monitor_heart:"),
        st.Page(load, title="Load", url_path="load", icon=":material/speed:"),
        st.Page(drills, title="Drills", url_path="drills", icon=":material/science:"),
        st.Page(incidents, title="Incidents", url_path="incidents", icon=":material/e911_emergency:"),
        st.Page(postmortems, title="Postmortems", url_path="postmortems", icon=":material/menu_book:"),
        st.Page(detection, title="Detection", url_path="detection", icon=":material/radar:"),
        st.Page(guide, title="Help", url_path="help", icon=":material/help:"),
    ]
    st.navigation(pages, position="top").run()


main()
