from __future__ import annotations

from dataclasses import replace

import pytest

from chaos import targets
from chaos.targets import BadTargetError
from reference_app.contract.topology import CACHES, SMALL, STANDARD, Lab, components

LAB, SMALL_LAB = components(STANDARD, 1), components(SMALL, 1)
CACHES_OF_TIMELINES = ("timeline-cache-0", "timeline-cache-1", "timeline-cache-2")


def names(expression: str, *, seed: int = 1) -> tuple[str, ...]:
    return targets.resolve(expression, LAB, seed=seed)


@pytest.mark.parametrize(
    ("expression", "meant"),
    [
        ("gateway-1", ("gateway-1",)),
        ("all:timeline-cache", CACHES_OF_TIMELINES),
        ("all:redis", (*CACHES_OF_TIMELINES, "tweet-cache-0", "tweet-cache-1")),
        ("primaries:graph-db", ("graph-db-0-primary", "graph-db-1-primary")),
        ("replicas:tweets-db", ("tweets-db-0-replica", "tweets-db-1-replica", "tweets-db-2-replica")),
        ("owner-of:user/7:graph-db", ("graph-db-1-primary",)),
        ("owner-of:user/8:users-db", ("users-db-0-primary",)),
    ],
)
def test_an_expression_means_components_of_the_lab(expression: str, meant: tuple[str, ...]) -> None:
    assert names(expression) == meant


def test_the_same_seed_draws_the_same_and_others_draw_others() -> None:
    drawn = {names("one:timeline-cache", seed=seed) for seed in range(20)}
    assert drawn == {(name,) for name in CACHES_OF_TIMELINES}
    assert len({names("one:timeline-cache", seed=7) for _ in range(5)}) == 1


@pytest.mark.parametrize(("topology", "drawn"), [(SMALL, 1), (STANDARD, 1), (replace(CACHES, timeline_caches=6), 3)])
def test_a_minority_leaves_at_least_half(topology: object, drawn: int) -> None:
    assert len(targets.resolve("minority:timeline-cache", components(topology, 1), seed=1)) == drawn  # type: ignore[arg-type]


def test_roles_are_those_of_now() -> None:
    lab = Lab("", "standard", 1, LAB, "", "").with_primaries({"tweets-db-0": "tweets-db-0-replica"})
    assert targets.resolve("primaries:tweets-db", lab.components, seed=1)[0] == "tweets-db-0-replica"


def test_who_holds_a_home_timeline_is_said_by_the_ring_of_now() -> None:
    users = range(1, 200)
    owners = {user: names(f"owner-of:user/{user}")[0] for user in users}
    assert set(owners.values()) == set(CACHES_OF_TIMELINES)
    left = CACHES_OF_TIMELINES[:2]
    moved = {user: targets.resolve(f"owner-of:user/{user}", LAB, seed=1, rings={"timeline-cache": left})[0] for user in users}
    assert set(moved.values()) == set(left)
    assert all(moved[user] == owner for user, owner in owners.items() if owner in left)


@pytest.mark.parametrize(
    ("expression", "complaint"),
    [
        ("all:caches", r"no group 'caches'; its groups are .*tweet-cache.*its kinds .*redis"),
        ("tweet-cache-7", r"no component 'tweet-cache-7'; this lab has .*tweet-cache-0.*its groups are"),
        ("some:gateway", r"no form 'some'; there are one, minority, all, primaries, replicas, owner-of"),
        ("minority:edge", r"is nobody: this lab has edge-0"),
        ("replicas:keyvalue-db", r"is nobody"),
        ("owner-of:user/abc", r"owner-of:user/ID"),
        ("owner-of:tweet/1", r"owner-of:user/ID"),
        ("owner-of:user/1:tweets-db", r"tweets-db does not place by user; timeline-cache, graph-db, users-db do"),
    ],
)
def test_what_means_nothing_is_refused_with_what_there_is(expression: str, complaint: str) -> None:
    with pytest.raises(BadTargetError, match=complaint):
        names(expression)


def test_expressions_are_found_wherever_they_stand_and_names_are_none() -> None:
    document = {
        "method": [{"provider": {"arguments": {"component": "all:tweet-cache", "note": "time: now"}}}],
        "truth": {"components": ["all:tweet-cache", "gateway-0"]}, "ignoring": ["owner-of:user/1"], "value": 3,
    }  # fmt: skip
    assert targets.expressions(document) == ("all:tweet-cache", "owner-of:user/1")


def test_a_lab_with_a_database_alone_has_a_primary_of_its_name() -> None:
    assert targets.resolve("primaries:users-db", SMALL_LAB, seed=1) == ("users-db-0",)
