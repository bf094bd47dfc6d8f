from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from dashboards.console.lab.states import Health
from postmortems import store
from reference_app.contract.topology import SMALL, Lab, components
from reference_app.kit import files
from reference_app.kit.home import HOME_VARIABLE, Home
from tests.unit.dashboards.console import canned
from tests.unit.dashboards.console.canned import Canned
from tests.unit.dashboards.console.pages import APP, Page

RECORDED = Path(__file__).parents[3] / "fixtures" / "recorded-run" / "runs"
NOBODY = 9
"""A port at which nothing listens."""

Open = Callable[..., Page]


@pytest.fixture
def empty_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    monkeypatch.setenv(HOME_VARIABLE, str(tmp_path))
    return Home(tmp_path)


@pytest.fixture(scope="session")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with one recorded run and its postmortem, to be copied."""
    home = Home(tmp_path_factory.mktemp("recorded"))
    shutil.copytree(RECORDED, home.runs)
    store.draft(home, next(home.runs.iterdir()).name, prometheus=None)
    return home.path


@pytest.fixture
def home(empty_home: Home, recorded: Path) -> Home:
    """A home with one recorded run and its postmortem."""
    shutil.copytree(recorded, empty_home.path, dirs_exist_ok=True)
    return empty_home


@pytest.fixture
def run_id(home: Home) -> str:
    return next(home.runs.iterdir()).name


@pytest.fixture
def lab(empty_home: Home) -> Lab:
    """A small lab as `up` writes it down, of which nothing runs."""
    parts = tuple(replace(component, port=NOBODY) for component in components(SMALL, 21900))
    laid_out = Lab(str(empty_home.path), "small", 21900, parts, "a key for tests", "a password")
    files.write_json(empty_home.lab_file, laid_out)
    return laid_out


@pytest.fixture
def prometheus(lab: Lab, empty_home: Home) -> Iterator[Canned]:
    """A server in the place of the lab's Prometheus, by which everything answers."""
    answering = canned.lab([component.name for component in lab.components])
    with answering.serve() as port:
        parts = tuple(replace(c, port=port) if c.kind == "prometheus" else c for c in lab.components)
        files.write_json(empty_home.lab_file, replace(lab, components=parts))
        yield answering


@pytest.fixture
def healths(lab: Lab) -> dict[str, Health]:
    """Everything answers."""
    return {component.name: Health(component, "answers") for component in lab.components}


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> Iterator[Open]:
    """Opens a page of the app by its name, with query parameters."""
    # Each AppTest reads the metadata of all installed packages in search of components, which takes longer than the page.
    monkeypatch.setattr("streamlit.components.v2.manifest_scanner.scan_component_manifests", list)

    def open_page(name: str = "overview", **link: str) -> Page:
        app = AppTest.from_file(APP, default_timeout=60)
        if name != "overview":
            app.switch_page(f"views/{name}.py")
        for parameter, value in link.items():
            app.query_params[parameter] = value
        return Page(app).run()

    yield open_page
    st.cache_resource.clear()
