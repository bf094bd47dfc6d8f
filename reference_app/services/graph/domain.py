"""Rules of the follow graph."""

from __future__ import annotations

from collections.abc import Sequence

from reference_app.contract.api import FollowersPage
from reference_app.kit import errors

FOLLOWEES_MAX = 5000
FOLLOWERS_PAGE_MAX = 5000


def check_edge(*, follower_id: int, followee_id: int) -> None:
    """Raises AppError invalid when the edge would be a loop."""
    if follower_id == followee_id:
        raise errors.AppError("invalid", "nobody can follow themselves")


def followers_page(ids: Sequence[int], *, limit: int, count: int | None) -> FollowersPage:
    """The page that a query for `limit` ids gave."""
    return FollowersPage(list(ids), ids[-1] if len(ids) == limit else None, count)
