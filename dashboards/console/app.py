"""Entry of the console: `failwhale console`, or plain `streamlit run dashboards/console/app.py`."""

from __future__ import annotations

import sys
from pathlib import Path

import streamlit as st

ROOT = str(Path(__file__).resolve().parents[2])
if ROOT not in sys.path:  # plain `streamlit run` looks for modules beside this file only
    sys.path.insert(0, ROOT)

from dashboards.console.views import drills  # noqa: E402


def main() -> None:
    """Lay out the pages and run the one that was asked for."""
    st.set_page_config(page_title="failwhale", layout="wide")
    st.navigation([st.Page(drills.page, title="Drills", url_path="drills", default=True)], position="top").run()


main()
