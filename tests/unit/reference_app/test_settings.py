from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from reference_app.kit import files, settings
from reference_app.kit.home import Home
from reference_app.kit.settings import DEFAULTS, Configuration


def test_a_service_without_a_configuration_file_is_as_it_always_was(tmp_path: Path) -> None:
    assert settings.configuration(Home(tmp_path), "tweets-0") == DEFAULTS


def test_a_configuration_file_is_of_one_service_and_what_it_does_not_name_stays(tmp_path: Path) -> None:
    home = Home(tmp_path)
    files.write_json(home.configuration_file("tweets-0"), {"sql_timeout": 0.001})
    assert settings.configuration(home, "tweets-0") == Configuration(DEFAULTS.connections, 0.001)
    assert settings.configuration(home, "tweets-1") == DEFAULTS


def test_a_configuration_that_makes_no_sense_is_told_and_not_passed_over(tmp_path: Path) -> None:
    files.write_json(Home(tmp_path).configuration_file("tweets-0"), {"sql_timeout": "soon"})
    with pytest.raises(msgspec.ValidationError, match="sql_timeout"):
        settings.configuration(Home(tmp_path), "tweets-0")
