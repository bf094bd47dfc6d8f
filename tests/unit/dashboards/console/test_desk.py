from __future__ import annotations

import threading

from dashboards.console import desk as desks
from postmortems import store
from reference_app.kit.home import Home


def test_a_text_is_not_saved_while_a_command_works_on_it(home: Home, run_id: str) -> None:
    desk = desks.at(home, run_id, "ada")
    path = desk.directory / store.POSTMORTEM
    opened = path.read_text()
    said: list[desks.Said] = []
    saving = threading.Thread(target=lambda: said.append(desks.save(desk, f"{opened}\nmine\n", opened=opened)))
    with store.alone(desk.directory):
        saving.start()
        saving.join(0.1)
        path.write_text(f"{opened}\nmeanwhile\n")
    saving.join()
    assert "changed by somebody else" in said[0].unmet[0]
    assert path.read_text().endswith("meanwhile\n")


def test_a_broken_figure_is_told_and_not_printed(home: Home, run_id: str) -> None:
    desk = desks.at(home, run_id, "ada")
    (desk.directory / store.FIGURES / "posts.vl.json").write_bytes(b"{}")
    assert "posts.vl.json cannot be drawn" in desks.printed(desk).unmet[0]
