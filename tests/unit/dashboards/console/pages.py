"""A page of the console as a test finds it."""

from __future__ import annotations

import html
import re
from dataclasses import dataclass
from pathlib import Path

import msgspec
from pandas import DataFrame
from streamlit.testing.v1 import AppTest

APP = Path(__file__).parents[4] / "dashboards" / "console" / "app.py"
_TAG = re.compile(r"<(title|style)[^>]*>.*?</\1>|<[^>]+>", re.DOTALL)


@dataclass(frozen=True)
class Page:
    """An app that ran without an exception."""

    app: AppTest

    def run(self) -> Page:
        self.app.run()
        assert not self.app.exception, self.app.exception
        return self

    @property
    def pictures(self) -> dict[str, str]:
        """Markup of each picture by its key."""
        shown = (element.proto for element in self.app.get("bidi_component"))
        return {proto.id.rpartition("-")[2]: msgspec.json.decode(proto.json)["html"] for proto in shown}

    def text(self, picture: str) -> str:
        """What a reader sees of a picture, blanks collapsed."""
        return words(self.pictures[picture])

    def table(self, column: str) -> DataFrame:
        """The table that has this column (AppTest gives no keys to tables)."""
        return next(each.value for each in self.app.dataframe if column in each.value.columns)

    @property
    def metrics(self) -> dict[str, str]:
        return {metric.label: metric.value for metric in self.app.metric}

    @property
    def told(self) -> str:
        """All boxes and commands."""
        boxes = (*self.app.info, *self.app.warning, *self.app.error, *self.app.success)
        return "\n".join([*(box.value for box in boxes), *(block.value for block in self.app.code)])


def words(markup: str) -> str:
    """Text of markup without its tags and tool tips."""
    return " ".join(html.unescape(_TAG.sub(" ", markup)).split())
