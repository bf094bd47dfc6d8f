"""Rules of a home page that need no I/O.

A home timeline is the newest 800 ids of a user's list, into which fan-out pushes, and of the celebrities the user follows, merged at read.
Pages are cut by id, so nothing that arrives, goes or moves between two reads shifts the rest.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from reference_app.contract import storage
from reference_app.contract.api import Page, PageTweet, Tweet

READ_AHEAD = 4
"""Ids read per tweet asked for: what is deleted, blocked or no longer followed is replaced from them."""


@dataclass(frozen=True)
class Timeline:
    """Ids of a list, newest first. `whole` is False when only its newest were read; `complete` when some source could not be read."""

    ids: Sequence[int]
    complete: bool = True
    whole: bool = True


@dataclass(frozen=True)
class Circle:
    """Whom a user follows; those of them that are merged at read (None: unknown now); whom the user blocks."""

    followees: frozenset[int]
    celebrities: tuple[int, ...] | None = ()
    blocked: frozenset[int] = frozenset()


@dataclass(frozen=True)
class Window:
    """Ids of a timeline below a cursor, newest first, without a gap; `more` when there are older ones."""

    ids: list[int]
    more: bool


@dataclass(frozen=True)
class Item:
    """A tweet of a page; a retweet with its original."""

    tweet: Tweet
    original: Tweet | None = None


def window(timeline: Timeline, merged: Sequence[int], *, asked: int, cursor: int | None) -> Window:
    """What both sources are known to hold: down to the oldest id that was read of a source which has more.

    `merged` are the newest ids of the celebrities below the cursor, at most `asked` of them. A full list ends the timeline.
    """
    end = timeline.ids[-1] if timeline.whole and len(timeline.ids) >= storage.TIMELINE_LENGTH else 0
    floors = [end]
    if not timeline.whole:
        floors.append(timeline.ids[-1])
    if len(merged) >= asked and merged[-1] > end:
        floors.append(merged[-1])
    floor = max(floors)
    ids = sorted({i for i in (*timeline.ids, *merged) if i >= floor and (cursor is None or i < cursor)}, reverse=True)
    return Window(ids, more=len(floors) > 1)


def visible(tweets: Iterable[Tweet], originals: Mapping[int, Tweet], circle: Circle | None, followed: Collection[int] | None) -> list[Item]:
    """Newest first, without authors that are no longer followed or are blocked, and without retweets whose original is gone or blocked.

    None: the graph could not be asked, so all stay. Retweets are tweets of their own: each one that followees made of an original is shown.
    """
    blocked = circle.blocked if circle else frozenset()
    kept = [
        Item(tweet, originals.get(tweet.retweet_of) if tweet.retweet_of else None)
        for tweet in sorted(tweets, key=lambda tweet: tweet.id, reverse=True)
        if tweet.user_id not in blocked and (followed is None or tweet.user_id in followed)
    ]
    return [item for item in kept if not item.tweet.retweet_of or (item.original and item.original.user_id not in blocked)]


def authors(items: Iterable[Item]) -> list[int]:
    """Whose handles a page needs."""
    return sorted({tweet.user_id for item in items for tweet in (item.tweet, item.original) if tweet})


def orphans(items: Iterable[Item], timeline: Timeline, merged: Iterable[int], window: Window) -> list[int]:
    """Originals of the replies on a page that the window holds no id of, though they are as new as it is; whose they are is not known."""
    replied = {original for item in items if (original := item.tweet.in_reply_to) and original > window.ids[-1]}
    return sorted(replied.difference(timeline.ids, merged)) if replied else []


def page(items: Iterable[Item], handles: Mapping[int, str] | None, *, next_cursor: int | None, missing: dict[str, int]) -> Page:
    """The page; authors that could not be asked for are left empty and counted."""
    names = handles or {}
    shown = [_shown(item.tweet, names, _shown(item.original, names) if item.original else None) for item in items]
    anonymous = sum(not tweet.handle for tweet in shown)
    return Page(shown, next_cursor, missing | ({"authors": anonymous} if anonymous else {}))


def _shown(tweet: Tweet, handles: Mapping[int, str], original: PageTweet | None = None) -> PageTweet:
    return PageTweet(tweet.id, tweet.user_id, handles.get(tweet.user_id, ""), tweet.text, tweet.in_reply_to, original)
