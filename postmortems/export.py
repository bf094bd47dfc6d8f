"""A postmortem as one HTML file with its figures inside, and as PDF by headless Chromium."""

from __future__ import annotations

import html
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

from markdown_it import MarkdownIt

from postmortems import charts, frontmatter, store, svg, wording
from reference_app.kit import files

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
PRINT_SECONDS = 60
_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
_CHARTS = re.compile(r"^Charts \(Vega-Lite[^:]*:(?: \[\w+\]\(figures/[^)]*\),?)+\.(?: The console shows them\.)?", re.MULTILINE)
"""What the templates write; what a person writes behind it stays."""
_PLACE = "FIGURES-OF-THE-POSTMORTEM"
_STYLE = """
body{font:15px/1.5 system-ui,sans-serif;color:#1d2330;max-width:52rem;margin:2rem auto;padding:0 1rem}
h1{font-size:1.7rem}h2{margin-top:2rem;border-bottom:1px solid #d9dde4;padding-bottom:.2rem}
table{border-collapse:collapse;width:100%;font-size:.82rem;margin:1rem 0}th,td{border:1px solid #d9dde4;padding:.25rem .5rem;text-align:left}
th{background:#f3f5f8}code{font-size:.9em;background:#f3f5f8;padding:0 .2em;overflow-wrap:anywhere}svg{width:100%;height:auto;margin:.5rem 0;break-inside:avoid}
tr{break-inside:avoid}.head{color:#5a6372;font-size:.85rem}@page{margin:16mm}
"""


class NotExportedError(Exception):
    """A figure cannot be drawn, there is no Chromium, or it did not print; the message says what to do."""


def html_file(incident_dir: Path, out: Path) -> Path:
    """Write `<id>.html` into a directory. Raises store.NoIncidentError, NotExportedError, OSError."""
    path = out / f"{incident_dir.name}.html"
    files.write_atomic(path, document(incident_dir).encode())
    return path


def document(incident_dir: Path) -> str:
    """The page: text, tables and figures; nothing is loaded from anywhere. Raises NotExportedError."""
    head = store.read_file(incident_dir / store.INCIDENT).header
    text = _COMMENT.sub("", wording.unmarked(frontmatter.body((incident_dir / store.POSTMORTEM).read_text())))
    text, placed = _CHARTS.subn(f"\n\n{_PLACE}\n\n", text, count=1)
    body = MarkdownIt("commonmark", {"html": False}).enable("table").render(text)
    figures = "\n".join(_figures(incident_dir / store.FIGURES))
    body = body.replace(f"<p>{_PLACE}</p>", figures) if placed else body + figures
    what = " · ".join(filter(None, (head.id, head.status, head.severity)))
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{html.escape(head.title)}</title><style>{_STYLE}</style></head>'
        f'<body><p class="head">{html.escape(what)}</p>\n{body}</body></html>\n'
    )


def pdf_file(page: Path) -> Path:
    """Print an exported page beside it. Raises NotExportedError."""
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser is None:
        raise NotExportedError(f"a PDF needs Chromium, and there is none: `apt-get install chromium`, or print {page} in a browser")
    target = page.with_suffix(".pdf")
    target.unlink(missing_ok=True)
    with tempfile.TemporaryDirectory() as profile:
        argv = [browser, "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-background-networking", f"--user-data-dir={profile}",
                "--no-pdf-header-footer", f"--print-to-pdf={target}", page.resolve().as_uri()]  # fmt: skip
        try:
            done = subprocess.run(argv, check=False, capture_output=True, text=True, timeout=PRINT_SECONDS)
        except subprocess.TimeoutExpired:
            raise NotExportedError(
                f"{browser} did not print {page} within {PRINT_SECONDS} s: try again when the machine is less busy"
            ) from None
    if not target.exists():
        raise NotExportedError(f"{browser} did not print {page}: {done.stderr.strip()[-300:]}")
    return target


def _figures(directory: Path) -> Iterator[str]:
    paths = (directory / f"{name}.vl.json" for name in charts.NAMES)
    for path in (path for path in paths if path.exists()):
        try:
            yield svg.drawn(path.read_bytes())
        except ValueError as error:
            again = f"`failwhale postmortem new {directory.parent.name}` draws it again"
            raise NotExportedError(f"{path} cannot be drawn: {error}; {again}") from error
