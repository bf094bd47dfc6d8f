"""Records of game days: which there are, and which cannot be read."""

from __future__ import annotations

from pathlib import Path

import pytest

from failwhale import dayrecord
from reference_app.kit.home import Home


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "home")


def test_a_record_of_another_version_is_refused_with_its_path(home: Home) -> None:
    path = home.gamedays / "day" / dayrecord.FILE
    path.parent.mkdir(parents=True)
    path.write_text('{"type": "planned", "at": 1}\n')
    with pytest.raises(dayrecord.NoGameDayError, match=str(path)):
        dayrecord.find(home, "day")


def test_a_record_that_is_not_there_is_answered_with_those_there_are(home: Home) -> None:
    with pytest.raises(dayrecord.NoGameDayError, match="there are: none"):
        dayrecord.find(home, "latest")
