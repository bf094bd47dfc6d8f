"""A dashboard as Grafana's JSON, by Grafana's own builders, and the files by which a Grafana provisions itself."""

from __future__ import annotations

import json
import string
from pathlib import Path
from typing import Any, cast

import yaml
from grafana_foundation_sdk.builders import common, dashboard, prometheus, stat, timeseries
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.common import DataSourceRef
from grafana_foundation_sdk.models.dashboard import DashboardCursorSync

from dashboards.grafana.boards import BOARDS
from dashboards.grafana.model import Board, Panel
from dashboards.rules import model
from reference_app.kit import files

FOLDER = Path("deploy/_gen/grafana")
SOURCE_UID, SOURCE_NAME = "failwhale-prometheus", "failwhale"
TAG, DRILL_TAG = "failwhale", "failwhale-drill"
_WIDTH, _HEIGHT = 24, 8
_SOURCE = DataSourceRef(type_val="prometheus", uid=SOURCE_UID)


def document(board: Board) -> dict[str, Any]:
    """What Grafana's API calls `dashboard`; the same for the same board."""
    page = (
        dashboard.Dashboard(board.title).uid(board.uid).description(board.description).tags([TAG])
        .time("now-15m", "now").refresh("5s").tooltip(DashboardCursorSync.CROSSHAIR).annotation(_drills())
    )  # fmt: skip
    for row in board.rows:
        page.with_row(dashboard.Row(row.title))
        for panel in row.panels:
            page.with_panel(_panel(panel, _WIDTH // min(len(row.panels), 4)))
    built: dict[str, Any] = json.loads(JSONEncoder().encode(page.build()))
    return built


def _drills() -> dashboard.AnnotationQuery:
    """Faults of recorded drills, which `failwhale grafana push` writes."""
    target = dashboard.AnnotationTarget().limit(100).match_any(False).tags([DRILL_TAG]).type("tags")
    own = DataSourceRef(type_val="grafana", uid="-- Grafana --")
    return (
        dashboard.AnnotationQuery().name("drills").datasource(own).enable(True).icon_color("red").target(cast("Any", target))
    )  # annotated as a query of a data source


def _panel(panel: Panel, width: int) -> timeseries.Panel | stat.Panel:
    drawn: timeseries.Panel | stat.Panel = timeseries.Panel().legend(common.VizLegendOptions().show_legend(True))
    if panel.number:
        drawn = stat.Panel().reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]))
    drawn.title(panel.title).unit(panel.unit).datasource(_SOURCE).span(width).height(_HEIGHT).description(panel.empty)
    for letter, query in zip(string.ascii_uppercase, panel.queries, strict=False):
        drawn.with_target(prometheus.Dataquery().expr(query.expr).legend_format(query.legend).ref_id(letter).datasource(_SOURCE))
    return drawn


def source(url: str) -> dict[str, Any]:
    """The data source that every panel names."""
    return {
        "name": SOURCE_NAME, "uid": SOURCE_UID, "type": "prometheus", "access": "proxy", "url": url, "isDefault": False,
        "jsonData": {"timeInterval": "1s", "httpMethod": "POST"},
    }  # fmt: skip


def provisioned() -> dict[Path, str]:
    """Path in the repository -> content: dashboards, and what a Grafana finds in its `provisioning` directory."""
    boards = {FOLDER / "dashboards" / f"{board.uid}.json": json.dumps(document(board), indent=1) + "\n" for board in BOARDS}
    provider = {"name": TAG, "folder": TAG, "type": "file", "options": {"path": "/etc/grafana/failwhale/dashboards"}}
    return boards | {
        FOLDER / "provisioning/dashboards/failwhale.yml": _yaml({"apiVersion": 1, "providers": [provider]}),
        FOLDER / "provisioning/datasources/failwhale.yml": _yaml({"apiVersion": 1, "datasources": [source("$FAILWHALE_PROMETHEUS_URL")]}),
    }


def write(repository: Path) -> list[Path]:
    """Write all files below the repository; returns their paths."""
    wanted = provisioned()
    for path, content in wanted.items():
        files.write_atomic(repository / path, content.encode())
    return list(wanted)


def drifted(repository: Path) -> list[Path]:
    """Files whose content is not what would be written now, missing ones among them."""
    return [path for path, content in provisioned().items() if not _holds(repository / path, content)]


def _holds(path: Path, content: str) -> bool:
    return path.exists() and path.read_text() == content


def _yaml(document: dict[str, Any]) -> str:
    return model.HEADER + yaml.safe_dump(document, sort_keys=False)
