from __future__ import annotations

from pathlib import Path

import pytest

from reference_app.contract.profile import LAB, PRODUCTION
from reference_app.kit import changes, deciders, membership
from reference_app.kit.home import Home
from reference_app.kit.membership import MassChangeError, Members, Membership

CACHES = ("cache-0", "cache-1", "cache-2")
BIG = tuple(f"cache-{n:03}" for n in range(100))
LATER = 1000.0


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path)


class Clock:
    now = LATER

    def __call__(self) -> float:
        return self.now


def announce(home: Home, current: Members, *wanted: str, now: float = LATER) -> Members:
    return membership.announce(home, "cache", current, wanted, by="test", now=now, guarded=membership.guarded(home))


def view(home: Home, clock: Clock) -> Membership:
    return Membership(home.rings_file, "cache", CACHES, clock=clock)


def test_all_caches_of_the_lab_are_in_the_ring_until_somebody_says_otherwise(home: Home) -> None:
    assert view(home, Clock()).ring.nodes == CACHES


def test_every_process_changes_at_the_announced_moment_and_none_before(home: Home) -> None:
    clock = Clock()
    one, other = view(home, clock), view(home, clock)
    assert one.ring.nodes == other.ring.nodes == CACHES
    members = announce(home, Members(CACHES), "cache-0", "cache-1")
    clock.now = members.since - 0.01
    assert one.ring.nodes == other.ring.nodes == CACHES
    clock.now = members.since
    assert one.ring.nodes == other.ring.nodes == ("cache-0", "cache-1")


def test_around_a_change_deletions_go_by_both_rings(home: Home) -> None:
    clock = Clock()
    seen = view(home, clock)
    assert [ring.nodes for ring in seen.rings] == [CACHES]
    members = announce(home, Members(CACHES), "cache-0", "cache-1")
    both = {CACHES, ("cache-0", "cache-1")}
    for clock.now in (members.since - 0.5, members.since, members.since + membership.LINGER_SECONDS - 0.01):
        assert {ring.nodes for ring in seen.rings} == both
    clock.now = members.since + membership.LINGER_SECONDS
    assert [ring.nodes for ring in seen.rings] == [("cache-0", "cache-1")]


def test_a_process_that_starts_after_a_change_has_the_ring_in_force(home: Home) -> None:
    clock = Clock()
    members = announce(home, Members(CACHES), "cache-0", "cache-2")
    clock.now = members.since + 60
    assert view(home, clock).ring.nodes == ("cache-0", "cache-2")


@pytest.mark.parametrize("content", [b"{", b'{"cache": 7}', b'{"cache": {"nodes": "cache-1"}}'])
def test_a_broken_file_changes_nothing(home: Home, content: bytes) -> None:
    clock = Clock()
    seen = view(home, clock)
    members = announce(home, Members(CACHES), "cache-0", "cache-1")
    clock.now = members.since
    assert seen.ring.nodes == ("cache-0", "cache-1")
    home.rings_file.write_bytes(content)
    clock.now += 60
    assert seen.ring.nodes == ("cache-0", "cache-1")


def test_caches_that_the_lab_no_longer_has_are_in_no_ring(home: Home) -> None:
    announce(home, Members(CACHES), "cache-0", "cache-1")
    assert membership.members_of(home.rings_file, "cache", ["cache-0"]).nodes == ("cache-0",)
    assert membership.members_of(home.rings_file, "cache", ["cache-2"]).nodes == ("cache-2",)


@pytest.mark.parametrize(
    ("current", "wanted", "passes"),
    [
        (CACHES, CACHES[:2], True),
        (CACHES, CACHES[:1], False),
        (CACHES[:1], CACHES, False),
        (CACHES, ("cache-0", "cache-1", "cache-9"), False),
        (BIG, BIG[:75], True),
        (BIG, BIG[:74], False),
        (BIG[:80], BIG, True),
        (BIG[:79], BIG, False),
    ],
)
def test_one_node_or_a_quarter_may_change_at_a_time(current: tuple[str, ...], wanted: tuple[str, ...], *, passes: bool) -> None:
    if passes:
        membership.check(Members(current), wanted, now=LATER)
        return
    with pytest.raises(MassChangeError, match="at once"):
        membership.check(Members(current), wanted, now=LATER)


@pytest.mark.parametrize("profile", [LAB, PRODUCTION])
def test_a_guarded_ring_changes_once_per_interval(profile: type) -> None:
    current = Members(CACHES[:2], since=LATER)
    with pytest.raises(MassChangeError, match="just now"):
        membership.check(current, CACHES, now=LATER + profile.ring_change_every - 0.1, profile=profile)
    membership.check(current, CACHES, now=LATER + profile.ring_change_every, profile=profile)


def test_without_the_guard_any_number_may_change_at_once(home: Home) -> None:
    with pytest.raises(MassChangeError):
        announce(home, Members(CACHES), "cache-0")
    assert not home.rings_file.exists()
    deciders.write(home, "ring_guard", deciders.OFF, by="test")
    assert announce(home, Members(CACHES), "cache-0").nodes == ("cache-0",)


def test_a_ring_is_never_empty_and_never_changes_while_a_change_is_coming(home: Home) -> None:
    with pytest.raises(ValueError, match="needs a node"):
        announce(home, Members(CACHES))
    announced = announce(home, Members(CACHES), *CACHES[:2])
    with pytest.raises(ValueError, match="is announced"):
        announce(home, announced, *CACHES, now=LATER + 0.5)


@pytest.mark.parametrize(("current", "wanted"), [(CACHES[:1], CACHES), (BIG, BIG[:8]), (BIG[:8], BIG), (CACHES, ("cache-8", "cache-9"))])
def test_the_guard_lets_every_step_pass(current: tuple[str, ...], wanted: tuple[str, ...]) -> None:
    at = Members(current)
    for step in membership.steps(current, wanted, guarded=True):
        membership.check(at, step, now=LATER)
        at = Members(step)
    assert set(at.nodes) == set(wanted)
    assert list(membership.steps(current, wanted, guarded=False)) == [tuple(sorted(wanted))]


def test_a_ring_that_is_as_wanted_takes_no_step() -> None:
    assert [*membership.steps(CACHES, CACHES[::-1], guarded=True), *membership.steps(CACHES, CACHES, guarded=False)] == []


def test_a_change_is_on_record(home: Home) -> None:
    members = announce(home, Members(CACHES), *CACHES[:2])
    (change,) = changes.between(home, 0, float("inf"))
    assert (change.kind, change.subject, change.old, change.new) == ("ring", "cache", "cache-0 cache-1 cache-2", "cache-0 cache-1")
    assert change.at == members.since
