from __future__ import annotations

from pathlib import Path

from chaos import events


def test_events_come_back_in_the_order_of_their_time(tmp_path: Path) -> None:
    events.write(tmp_path, "injected", clock=lambda: 20.0, fault="kill_and_hold", components=("a",))
    events.write(tmp_path, "run_started", clock=lambda: 10.0, experiment="x")
    found = events.read(tmp_path)
    assert [event.event for event in found] == ["run_started", "injected"]
    assert found[1].components == ("a",)
    assert events.first(found, "run_started") == events.last(found, "run_started") == found[0]


def test_a_torn_last_line_is_left_out(tmp_path: Path) -> None:
    events.write(tmp_path, "injected", clock=lambda: 20.0)
    with events.path(tmp_path).open("a") as file:
        file.write('{"at": 21.0, "event": "und')
    assert len(events.read(tmp_path)) == 1


def test_a_run_without_events_has_none(tmp_path: Path) -> None:
    assert events.read(tmp_path) == ()
    assert events.first((), "injected") is events.last((), "injected") is None
