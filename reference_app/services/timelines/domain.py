"""Rules of a home page that need no I/O.

A home timeline is the newest 800 ids of a user's list, into which fan-out pushes, and of the celebrities the user follows, merged at read.
Pages are cut by id, so nothing that arrives, goes or moves between two reads shifts the rest.
"""

from __future__ import annotations

import operator
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from reference_app.contract import storage
from reference_app.contract.api import Tweet
from reference_app.kit import pages
from reference_app.kit.pages import PublicPage

READ_AHEAD = 4
"""Ids read per tweet asked for: what is deleted, blocked or no longer followed is replaced from them."""


@dataclass(frozen=True)
class Timeline:
    """Ids of a list, newest first. `whole` is False when only its newest were read; `complete` is False when some source could not be read."""

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


def window(timeline: Timeline, merged: Sequence[int], *, asked: int, cursor: int | None) -> Window:
    """What both sources are known to hold: down to the oldest id that was read of a source which has more.

    `merged` are the newest ids of the celebrities below the cursor, at most `asked` of them. A full list ends the timeline.
    """
    ids = list(timeline.ids) if cursor is None else [i for i in timeline.ids if i < cursor]
    if not merged:
        return Window(ids, more=not timeline.whole)
    end = timeline.ids[-1] if timeline.whole and len(timeline.ids) >= storage.TIMELINE_LENGTH else 0
    cut = len(merged) >= asked and merged[-1] > end
    floor = max(end, 0 if timeline.whole else timeline.ids[-1], merged[-1] if cut else 0)
    return Window(sorted({i for i in (*ids, *merged) if i >= floor}, reverse=True), more=cut or not timeline.whole)


def visible(
    tweets: Iterable[Tweet], originals: Mapping[int, Tweet], circle: Circle | None, followed: Collection[int] | None
) -> list[Tweet]:
    """Newest first, without authors that are no longer followed or are blocked, and without retweets whose original is gone or blocked.

    None: the graph could not be asked, so all stay. Retweets are tweets of their own: each one that followees made of an original is shown.
    """
    kept = [tweet for tweet in tweets if followed is None or tweet.user_id in followed]
    if circle is not None and circle.blocked:
        kept = [tweet for tweet in kept if tweet.user_id not in circle.blocked]
        originals = {original_id: original for original_id, original in originals.items() if original.user_id not in circle.blocked}
    return sorted((t for t in kept if t.retweet_of is None or t.retweet_of in originals), key=_id, reverse=True)


def authors(tweets: Iterable[Tweet], originals: Mapping[int, Tweet]) -> list[int]:
    """Whose handles a page needs."""
    return sorted({tweet.user_id for tweet in (*tweets, *originals.values())})


def orphans(tweets: Iterable[Tweet], timeline: Timeline, merged: Iterable[int], window: Window) -> list[int]:
    """Originals of the replies on a page that the window holds no id of, though they are as new as it is; whose they are is not known."""
    replied = {original for tweet in tweets if (original := tweet.in_reply_to) is not None and original > window.ids[-1]}
    return sorted(replied.difference(timeline.ids, merged)) if replied else []


def page(
    tweets: Iterable[Tweet], originals: Mapping[int, Tweet], handles: Mapping[int, str], *, next_cursor: int | None, missing: dict[str, int]
) -> PublicPage:
    """The page; authors that could not be asked for are left empty and counted."""
    shown = [pages.page_tweet(tweet, originals, handles) for tweet in tweets]
    anonymous = sum(not tweet.handle for tweet in shown)
    return pages.page(shown, next_cursor=next_cursor, missing=missing | ({"authors": anonymous} if anonymous else {}))


_id = operator.attrgetter("id")
