from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from reference_app.contract.topology import SMALL, Lab, components
from reference_app.kit import deciders, files, settings
from reference_app.kit.home import HOME_VARIABLE, Home
from reference_app.kit.settings import DEFAULTS, Configuration, Settings


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


def deployed(tmp_path: Path, sql_timeout: float, monkeypatch: pytest.MonkeyPatch) -> Home:
    """A home in which tweets-0 is about to start with this limit."""
    home = Home(tmp_path)
    files.write_json(home.lab_file, Lab(str(tmp_path), "small", 29_900, components(SMALL, 29_900), "key", "password"))
    files.write_json(home.configuration_file("tweets-0"), Configuration(sql_timeout=sql_timeout))
    monkeypatch.setenv(HOME_VARIABLE, str(tmp_path))
    monkeypatch.setenv(settings.COMPONENT_VARIABLE, "tweets-0")
    return home


def test_a_limit_that_cannot_be_meant_ends_the_service_with_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    deployed(tmp_path, 0.0001, monkeypatch)
    with pytest.raises(settings.RefusedError, match=r"tweets-0 does not start .* less than 1 ms .* are units mixed up\?"):
        Settings.from_environment()


def test_with_its_guard_off_a_service_starts_with_whatever_it_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = deployed(tmp_path, 0.0001, monkeypatch)
    deciders.write(home, settings.GUARD, deciders.OFF, by="test")
    assert Settings.from_environment().configuration.sql_timeout == 0.0001


def test_a_short_limit_that_may_be_meant_is_obeyed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    deployed(tmp_path, 0.001, monkeypatch)
    assert Settings.from_environment().configuration.sql_timeout == 0.001
