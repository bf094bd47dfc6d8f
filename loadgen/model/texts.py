"""What people write: short, sometimes long, and not only ASCII."""

from __future__ import annotations

import math
import random

from reference_app.contract import api
from reference_app.kit.weighted_length import weighted_length

MODE_LENGTH, SPREAD = 33, 0.8
"""Most frequent length in characters, and the sigma of the log-normal (observed for tweets: mode ~33)."""

_MEAN_LOG = math.log(MODE_LENGTH) + SPREAD**2
_WORDS = (
    "goal", "what", "a", "strike", "that", "was", "never", "offside", "the", "keeper", "had", "no", "chance", "replay", "please",
    "unbelievable", "scenes", "here", "in", "the", "stadium", "watching", "from", "home", "with", "friends", "second", "half", "ref",
    "come", "on", "pass", "it", "down", "left", "wing", "corner", "kick", "again", "saved", "by", "post", "GOOOOL", "¡qué", "golazo!",
    "Tor", "für", "uns", "ゴール", "すごい", "なんで", "골", "نعم", "هدف", "гол", "ça", "alors", "às", "três", "naïve",
)  # fmt: skip
_MARKS = ("⚽", "🔥", "😱", "🎉🎉", "👏🏽", "👩‍👩‍👧‍👦", "🇯🇵", "🐋", "#goal", "#worldcup", "@everyone", '<3 & "so" it\'s', "100%", "…")


def compose(rng: random.Random) -> str:
    """One tweet's text, never heavier than a tweet may be; whole words and whole emoji only."""
    wanted = min(api.TEXT_MAX, max(1, round(rng.lognormvariate(_MEAN_LOG, SPREAD))))
    text = _token(rng)
    weight = weighted_length(text)
    while len(text) < wanted:
        token = _token(rng)
        weight += len(" ") + weighted_length(token)
        if weight > api.TEXT_MAX:
            break
        text = f"{text} {token}"
    return text


def _token(rng: random.Random) -> str:
    return rng.choice(_MARKS if rng.random() < 0.12 else _WORDS)
