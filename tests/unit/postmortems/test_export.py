from __future__ import annotations

import shutil
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from postmortems import export, store, svg
from postmortems.model import Draft


def test_an_exported_page_has_text_tables_and_figures_and_loads_nothing(drafted: Draft, tmp_path: Path) -> None:
    drafted.postmortem_path.write_text(drafted.postmortem_path.read_text() + "\nA <script>alert(1)</script> is text.\n")
    page = export.html_file(drafted.incident_dir, tmp_path).read_text()
    assert page.count("<svg ") == 4
    assert page.index("<svg ") < page.index("<h2>Clocks</h2>")
    assert "<td" in page
    assert "<!-- " not in page
    assert "&lt;script&gt;" in page
    assert "<script" not in page
    assert 'src="' not in page


def test_what_a_person_writes_about_a_figure_stays_beside_the_figures(drafted: Draft) -> None:
    text = drafted.postmortem_path.read_text()
    said = "After a minute ([latency](figures/latency.vl.json)) all was slow."
    text = text.replace("## Impact\n", f"## Impact\n\n{said}\n", 1).replace(
        "The console shows them.", "The console shows them. Look twice.\nMine.", 1
    )
    drafted.postmortem_path.write_text(text)
    page = export.document(drafted.incident_dir)
    assert "all was slow." in page
    assert "Look twice.\nMine." in page
    assert page.index("all was slow.") < page.index("<svg ") < page.index("Look twice.")
    assert (page.count("<svg "), "FIGURES-OF" in page, "Charts (Vega" in page) == (4, False, False)


def test_a_figure_that_cannot_be_drawn_is_named(drafted: Draft, tmp_path: Path) -> None:
    (drafted.incident_dir / store.FIGURES / "latency.vl.json").write_bytes(b"{")
    with pytest.raises(export.NotExportedError, match=r"latency\.vl\.json cannot be drawn: .*`failwhale postmortem new"):
        export.html_file(drafted.incident_dir, tmp_path)


@pytest.mark.parametrize("name", ["requests", "complete", "latency", "posts"])
def test_a_figure_is_drawn_with_the_fault_and_the_alerts(drafted: Draft, name: str) -> None:
    drawn = ET.fromstring(svg.drawn((drafted.incident_dir / store.FIGURES / f"{name}.vl.json").read_bytes()))  # noqa: S314
    kinds = [element.tag.rpartition("}")[2] for element in drawn.iter()]
    assert kinds.count("rect") == 2
    assert [element.text for element in drawn.iter() if element.tag.endswith("}title")] == [
        "ComponentDown tweets-db-0-primary", "SloBurn home-completeness",
    ]  # fmt: skip
    assert any(len(element.get("d", "")) > 300 for element in drawn.iter())


@pytest.mark.parametrize("broken", [b"{", b"{}", b'{"layer": []}'])
def test_what_is_no_chart_is_said_to_be_none(broken: bytes) -> None:
    with pytest.raises(ValueError, match="no chart of a postmortem"):
        svg.drawn(broken)


def test_without_chromium_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(export.NotExportedError, match="apt-get install chromium"):
        export.pdf_file(tmp_path / "page.html")


@pytest.mark.verify
@pytest.mark.skipif(not any(map(shutil.which, export.BROWSERS)), reason="needs chromium: apt-get install chromium")
def test_chromium_prints_the_page(drafted: Draft, tmp_path: Path) -> None:
    printed = export.pdf_file(export.html_file(drafted.incident_dir, tmp_path))
    content = printed.read_bytes()
    assert content.startswith(b"%PDF-")
    assert len(content) > 30_000
