"""Ids, tokens, plans, constants, topology."""

from __future__ import annotations

import pytest

from reference_app.contract import ids, plan, profile, tokens, topology

NOW_MS = 1_795_000_000_000


def test_an_id_tells_its_shard_and_its_moment() -> None:
    tweet_id = ids.compose(unix_ms=NOW_MS, shard=5, process=3, sequence=4095)
    assert (ids.shard_of(tweet_id), ids.unix_ms_of(tweet_id)) == (5, NOW_MS)
    assert len(str(tweet_id)) == 19


def test_ids_sort_by_time_whatever_their_shard() -> None:
    early = ids.compose(unix_ms=NOW_MS, shard=ids.MAX_SHARDS - 1, process=ids.MAX_PROCESSES - 1, sequence=ids.MAX_SEQUENCE - 1)
    assert early < ids.first_id_at(NOW_MS + 1) == ids.compose(unix_ms=NOW_MS + 1, shard=0, process=0, sequence=0)


def test_a_token_is_good_for_its_user_until_it_expires() -> None:
    token = tokens.sign(42, key="k", expires_at=100)
    assert tokens.verify(token, key="k", now=99) == 42
    assert tokens.verify(token, key="k", now=100) is None
    assert tokens.verify(token, key="other", now=99) is None


@pytest.mark.parametrize("token", ["", ".", "..", "42.100.", "43" + tokens.sign(42, key="k", expires_at=100)[2:], "é.1.2"])
def test_a_forged_or_broken_token_is_nobody(token: str) -> None:
    assert tokens.verify(token, key="k", now=0) is None


def test_phases_are_laid_end_to_end_and_an_unknown_one_is_refused() -> None:
    phases = plan.phases({"fault": 10})
    assert [p.start for p in phases[1:]] == [p.end for p in phases[:-1]]
    assert phases[-1].end == sum(plan.DRILL_SECONDS.values()) - 30
    assert [p.name for p in phases if not p.recorded] == ["warmup"]
    with pytest.raises(ValueError, match="lunch"):
        plan.phases({"lunch": 1})


def test_lab_constants_fit_into_half_of_the_recovery_phase_and_production_ones_do_not() -> None:
    half = plan.DRILL_SECONDS["after"] / 2
    assert profile.constants_over(half) == {}
    assert set(profile.constants_over(half, profile.PRODUCTION)) >= {"breaker_open_max", "tweet_cache_ttl", "replica_reconnect"}


@pytest.mark.parametrize("layout", topology.TOPOLOGIES.values(), ids=topology.TOPOLOGIES)
def test_names_and_ports_of_a_lab_are_unique_and_below_the_ephemeral_range(layout: topology.Topology) -> None:
    laid = topology.components(layout, topology.DEFAULT_PORT_BASE)
    assert len({c.name for c in laid}) == len({c.port for c in laid}) == len(laid)
    assert len({port for c in laid for port in (c.port, c.metrics_port)}) == len(laid) + layout.edge
    assert max(c.port for c in laid) < topology.DEFAULT_PORT_BASE + topology.SUPERVISOR_PORT_OFFSET < 32768


def test_ports_do_not_move_when_another_count_changes() -> None:
    small = {c.name: c.port for c in topology.components(topology.SMALL, 0)}
    bigger = topology.Topology("bigger", tweet_shards=3, timeline_caches=3, instances={"gateway": 2})
    grown = {c.name: c.port for c in topology.components(bigger, 0)}
    assert small.items() <= grown.items()
    assert len(set(grown.values())) == len(grown)
