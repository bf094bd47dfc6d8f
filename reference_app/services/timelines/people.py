"""Handles and followees, remembered for some seconds: every page needs them and they hardly change."""

from __future__ import annotations

from collections.abc import Sequence

from reference_app.contract.profile import LAB, Profile
from reference_app.kit.ttl_cache import TtlCache
from reference_app.services.timelines.peers import FOLLOWEES_MAX, Peers

REMEMBERED = 100_000


class People:
    """Asks the peers for what it does not remember; raises what they raise."""

    def __init__(self, peers: Peers, *, profile: Profile = LAB) -> None:
        self._peers = peers
        self._handles: TtlCache[int, str] = TtlCache(ttl_s=profile.people_cache_ttl, size=REMEMBERED)
        self._followees: TtlCache[int, frozenset[int]] = TtlCache(ttl_s=profile.people_cache_ttl, size=REMEMBERED)

    async def handles(self, user_ids: Sequence[int]) -> dict[int, str]:
        """Handles by user id; users that do not exist are left out."""
        known = {user_id: handle for user_id in user_ids if (handle := self._handles.get(user_id)) is not None}
        unknown = [user_id for user_id in user_ids if user_id not in known]
        if unknown:
            for user_id, handle in (await self._peers.handles(unknown)).items():
                self._handles.put(user_id, handle)
                known[user_id] = handle
        return known

    async def followed_among(self, user_id: int, authors: Sequence[int]) -> frozenset[int]:
        """Those of the authors that the user follows."""
        followees = self._followees.get(user_id) or await self.followees(user_id)
        if len(followees) < FOLLOWEES_MAX:
            return followees & frozenset(authors)
        return frozenset(await self._peers.followed_among(user_id, authors))

    async def followees(self, user_id: int) -> frozenset[int]:
        """Whom the user follows now, at most FOLLOWEES_MAX of them."""
        followees = frozenset(await self._peers.followees(user_id))
        self._followees.put(user_id, followees)
        return followees

    def forget(self, user_id: int) -> None:
        """The user followed or unfollowed somebody."""
        self._followees.drop(user_id)
