"""Negative caching: that something is not there is remembered the longer, the older it would be (tweetypie: a tweet that was just fanned out may be read before its row shows)."""

from __future__ import annotations

from reference_app.contract.profile import LAB, Profile


def ttl_s(age_s: float, profile: Profile = LAB) -> float:
    """Seconds for which "not found" holds: the least up to the young age, then linear up to the most at the old age."""
    young, old = profile.negative_young_age, profile.negative_old_age
    share = min(1.0, max(0.0, (age_s - young) / (old - young)))
    return profile.negative_ttl_min + share * (profile.negative_ttl_max - profile.negative_ttl_min)
