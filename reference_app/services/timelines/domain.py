"""Rules of a home page that need no I/O."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from reference_app.contract.api import Page, PageTweet, Tweet


def candidates(raw_ids: Iterable[int], cursor: int | None) -> list[int]:
    """Distinct ids below the cursor, newest first: lists may hold an id twice and late deliveries out of order."""
    return sorted({i for i in raw_ids if cursor is None or i < cursor}, reverse=True)


def visible(tweets: Sequence[Tweet], followees: Collection[int] | None) -> list[Tweet]:
    """Newest first, without authors that are no longer followed; None: the graph could not be asked, so all stay."""
    kept = [tweet for tweet in tweets if followees is None or tweet.user_id in followees]
    return sorted(kept, key=lambda tweet: tweet.id, reverse=True)


def page(tweets: Sequence[Tweet], handles: dict[int, str] | None, *, next_cursor: int | None, missing: dict[str, int]) -> Page:
    """The page; authors that could not be asked for are left empty and counted."""
    shown = [PageTweet(t.id, t.user_id, (handles or {}).get(t.user_id, ""), t.text) for t in tweets]
    anonymous = sum(not tweet.handle for tweet in shown)
    return Page(shown, next_cursor, missing | ({"authors": anonymous} if anonymous else {}))
