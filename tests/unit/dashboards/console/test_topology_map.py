from __future__ import annotations

from dataclasses import replace

import pytest

from dashboards.console.draw import topology_map
from dashboards.console.lab.states import MEANINGS, Condition, Health
from reference_app.contract.topology import SMALL, STANDARD, Topology, components
from tests.unit.dashboards.console.pages import words


def of(topology: Topology, condition: Condition = "answers") -> dict[str, Health]:
    return {component.name: Health(component, condition) for component in components(topology, 21900)}


@pytest.mark.parametrize("topology", [SMALL, STANDARD], ids=lambda topology: topology.name)
def test_every_component_has_its_cell_or_stands_among_the_tools(topology: Topology) -> None:
    drawn = topology_map.build(of(topology))
    shown = [cell.name for box in drawn.boxes for cell in box.cells] + [cell.name for cell in drawn.tools]
    assert sorted(shown) == sorted(component.name for component in components(topology, 21900))


@pytest.mark.parametrize("topology", [SMALL, STANDARD], ids=lambda topology: topology.name)
def test_cells_stay_inside_of_their_box_and_apart(topology: Topology) -> None:
    for box in topology_map.build(of(topology)).boxes:
        for cell in box.cells:
            assert box.x <= cell.x
            assert cell.x + cell.width <= box.x + box.width
            assert box.y <= cell.y
            assert cell.y + topology_map.CELL <= box.y + box.height
        assert len({(cell.x, cell.y) for cell in box.cells}) == len(box.cells)


def test_a_replica_stands_beside_its_primary() -> None:
    shards = next(box for box in topology_map.build(of(STANDARD)).boxes if box.title == "tweets-db").cells
    at = {cell.name: cell for cell in shards}
    for shard in range(3):
        primary, replica = at[f"tweets-db-{shard}-primary"], at[f"tweets-db-{shard}-replica"]
        assert primary.y == replica.y
        assert primary.x < replica.x
    assert at["tweets-db-1-primary"].label == "1 primary"


def test_every_condition_has_a_sign_of_its_own_and_a_legend_in_words() -> None:
    assert len(set(topology_map.GLYPHS.values())) == len(MEANINGS)
    legend = words(topology_map.html(of(SMALL)))
    assert all(f"{topology_map.GLYPHS[condition]} {meaning}" in legend for condition, meaning in MEANINGS.items())


def test_a_component_that_a_fault_is_in_force_on_is_ringed_and_says_so() -> None:
    healths = of(SMALL)
    healths["graph-0"] = replace(healths["graph-0"], condition="down", faulty=True)
    markup = topology_map.html(healths)
    assert 'fw-cell fw-down fw-faulty" data-component="graph-0"' in markup
    assert "graph-0, port 21909: does not run, or refuses; a fault is in force on it" in markup


def test_an_arrow_is_broken_where_a_breaker_is_open() -> None:
    drawn = topology_map.build(of(SMALL), breakers={("tweets", "tweets-db-1-primary"), ("tweets", "unheard-of")})
    assert [(arrow.caller, arrow.callee) for arrow in drawn.arrows if arrow.broken] == [("tweets", "tweets-db")]
