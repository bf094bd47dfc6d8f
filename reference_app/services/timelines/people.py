"""Handles and whom a user follows, remembered for some seconds: every page needs them and they hardly change."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from reference_app.contract import storage
from reference_app.contract.profile import LAB, Profile
from reference_app.kit.deciders import Deciders
from reference_app.kit.ttl_cache import TtlCache
from reference_app.services.timelines.domain import Circle
from reference_app.services.timelines.peers import FOLLOWEES_MAX, Peers

REMEMBERED = 100_000


class People:
    """Asks the peers for what it does not remember; raises what they raise."""

    def __init__(self, peers: Peers, deciders: Deciders, *, profile: Profile = LAB) -> None:
        self._peers, self._deciders = peers, deciders
        self._handles: TtlCache[int, str] = TtlCache(ttl_s=profile.people_cache_ttl, size=REMEMBERED)
        self._circles: TtlCache[int, tuple[int, Circle]] = TtlCache(ttl_s=profile.people_cache_ttl, size=REMEMBERED)
        self._changes: TtlCache[int, object] = TtlCache(ttl_s=profile.people_cache_ttl, size=REMEMBERED)
        """What was asked before a change and answered after it is not remembered."""

    async def handles(self, user_ids: Sequence[int]) -> dict[int, str]:
        """Handles by user id; users that do not exist are left out."""
        known = {user_id: handle for user_id in user_ids if (handle := self._handles.get(user_id)) is not None}
        unknown = [user_id for user_id in user_ids if user_id not in known]
        if unknown:
            for user_id, handle in (await self._peers.handles(unknown)).items():
                self._handles.put(user_id, handle)
                known[user_id] = handle
        return known

    async def circle(self, user_id: int) -> Circle:
        """Whom the user follows and blocks, as remembered: under the celebrity threshold of now."""
        over = self._over()
        remembered = self._circles.get(user_id)
        if remembered is not None and remembered[0] == over:
            return remembered[1]
        return await self.circle_now(user_id)

    async def circle_now(self, user_id: int) -> Circle:
        """Whom the user follows and blocks now."""
        over, changed = self._over(), self._changes.get(user_id)
        found = await self._peers.following(user_id, celebrity_over=over)
        celebrities = None if found.celebrities is None else tuple(found.celebrities)
        circle = Circle(frozenset(found.ids), celebrities, frozenset(found.blocked))
        if celebrities is not None and self._changes.get(user_id) is changed:
            self._circles.put(user_id, (over, circle))
        return circle

    async def followed_among(self, user_id: int, circle: Circle, authors: Collection[int]) -> frozenset[int]:
        """Those of the authors that the user follows."""
        if len(circle.followees) < FOLLOWEES_MAX:
            return circle.followees.intersection(authors)
        return frozenset(await self._peers.followed_among(user_id, sorted(authors)))

    def forget(self, user_id: int) -> None:
        """The user followed, unfollowed, blocked or unblocked somebody."""
        self._circles.drop(user_id)
        self._changes.put(user_id, object())

    def _over(self) -> int:
        return storage.merged_over(self._deciders.value("celebrity_followers"))
