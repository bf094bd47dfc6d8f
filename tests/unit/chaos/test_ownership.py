from __future__ import annotations

import pytest

from chaos import ownership
from chaos.ownership import Share
from reference_app.contract.topology import CACHES, SMALL, STANDARD, components

LAB = components(STANDARD, 1)


def owned(*hit: str) -> tuple[Share, ...]:
    return ownership.shares(LAB, hit, rings={}, users=3000)


@pytest.mark.parametrize(
    ("component", "of", "share"),
    [
        ("tweets-db-1-primary", "keys", 0.3333), ("tweets-db-1-replica", "nothing", 0.0), ("graph-db-0-primary", "users", 0.5),
        ("users-db-0-primary", "users", 1.0), ("gateway-1", "requests", 0.5), ("edge-0", "requests", 1.0), ("events-0", "keys", 1.0),
        ("prometheus", "nothing", 0.0),
    ],
)  # fmt: skip
def test_each_component_owns_its_part_of_its_group(component: str, of: str, share: float) -> None:
    assert owned(component) == (Share(component, of, share),)  # type: ignore[arg-type]


def test_caches_own_what_the_ring_gives_them_and_together_everything() -> None:
    shares = owned("timeline-cache-0", "timeline-cache-1", "timeline-cache-2")
    assert sum(share.share for share in shares) == pytest.approx(1, abs=0.001)
    assert all(0.2 < share.share < 0.5 for share in shares)
    assert ownership.largest(shares, LAB) == 1.0


def test_a_cache_out_of_the_ring_owns_nothing() -> None:
    (share,) = ownership.shares(LAB, ["tweet-cache-1"], rings={"tweet-cache": ["tweet-cache-0"]})
    assert (share.of, share.share) == ("keys", 0.0)


def test_one_of_six_tweet_caches_owns_about_a_sixth_of_the_keys() -> None:
    (share,) = ownership.shares(components(CACHES, 1), ["tweet-cache-3"], rings={})
    assert share.share == pytest.approx(1 / 6, abs=0.05)


def test_of_two_groups_the_larger_share_is_told_for_both_hold_the_same_users() -> None:
    small = components(SMALL, 1)
    shares = ownership.shares(small, ["tweets-db-0-primary", "timelines-0"], rings={}, users=100)
    assert ownership.largest(shares, small) == 1.0
    assert ownership.largest((), small) == 0.0
