"""Named load shapes, each of a documented event, laid over the phases of a plan.

Rates are a lab's, ratios are the event's. The faithful presets have 50 reads to a post while nothing happens (300 K and 6 K a second: Krikorian's
talk of 2013, on highscalability.com), which leaves an audit one or two posts a second. Nobody published what was read during an event: where people
wrote in one instant (castle, new_year), reads stay as they are; where they followed the news, reads rise with the posts.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, replace
from pathlib import Path

from loadgen.model import clients, courses, replay
from loadgen.model.arrivals import Curve, Piece
from loadgen.model.clients import Clients
from loadgen.model.courses import Course, Leg, Phases

READS_PER_POST = 50
READS_PEAK = 160.0
"""Reads a second at the height, of `goal` and of whatever the reads of rise: what a small lab of half these rates carries at half of its core (`Topology.load`)."""

ACTIVE = 0.3
"""150 M active users (Krikorian 2013) of 505 M accounts (the graph of 2012 in arXiv 1404.1355)."""
READERS, AUTHORS = 1.2, 1.28
"""Zipf exponents. Of the popularity of keys in 54 cache clusters the median was 1.28 (Yang, Yue, Rashmi, OSDI 2020)."""


@dataclass(frozen=True)
class Wave:
    """Requests per second at rest and at the height of the event, and how it goes from one to the other."""

    base: float
    peak: float
    course: Course = courses.surge

    def over(self, phases: Phases) -> Curve:
        """The rate over the phases of a plan. Raises BadReplayError."""
        return Curve(tuple(self._piece(leg) for leg in self.course(phases)))

    def scaled(self, share: float) -> Wave:
        """This share of it."""
        return replace(self, base=self.base * share, peak=self.peak * share)

    def _piece(self, leg: Leg) -> Piece:
        first, last = (self.base + (self.peak - self.base) * height for height in (leg.first, leg.last))
        return Piece(leg.start, leg.end, first, last, leg.shape)


@dataclass(frozen=True)
class Preset:
    """`user_timeline_share` of the reads ask for one author's tweets, the others for a home page."""

    name: str
    label: str
    reads: Wave
    posts: Wave
    user_timeline_share: float = 0.05
    star_share: float = 0.0
    """Of the reads from the ramp on: they ask for the tweets of account 1, who posts when the ramp begins."""
    active_share: float = ACTIVE
    """Of the users: the others are there and are followed, but do nothing and are not looked at."""
    reader_exponent: float = READERS
    author_exponent: float = AUTHORS
    """Zipf exponents of who reads and who posts or is looked at."""
    clients: Clients = clients.PATIENT

    @property
    def slug(self) -> str:
        """Its name in a path: of a replay, the name of the file without its folder, endings and speed."""
        event, crowd = _split(self.name)
        kind, _, path = event.partition(":")
        return "-".join([kind, *re.findall(r"[A-Za-z0-9_]+", Path(path).name.partition(".")[0]), *([crowd] if crowd else [])])

    def scaled(self, share: float) -> Preset:
        """The same event with this share of its requests."""
        return replace(self, reads=self.reads.scaled(share), posts=self.posts.scaled(share))


def _followed(name: str, multiple: float, label: str, *, course: Course = courses.surge) -> Preset:
    """Reads up to the lab's peak, so many times what they are at rest, and posts with them."""
    reads = Wave(READS_PEAK / multiple, READS_PEAK, course)
    return Preset(name, label, reads, posts=reads.scaled(1 / READS_PER_POST))


def _instant(name: str, multiple: float, label: str, *, posts: float, course: Course) -> Preset:
    """So many posts a second at rest, so many times that at the height; reads stay."""
    reads = posts * READS_PER_POST
    return Preset(name, label, Wave(reads, reads), Wave(posts, posts * multiple, course))


GOAL = Preset(
    name="goal",
    label="a goal is scored: reads x 4, posts x 8. Write-heavy on purpose (10 : 1, where Twitter saw 50 : 1 in 2013), so that a short run has enough posts to audit",
    reads=Wave(40, READS_PEAK),
    posts=Wave(2, 16),
    active_share=1.0,
    author_exponent=1.3,
)
"""Goals took Twitter down in 2010 (3,283 tweets a second at Japan - Denmark); the fifth of Brazil - Germany 2014 had 580,166 tweets in a minute. The
multiples are the lab's choice."""

NEW_YEAR = _instant(
    "new_year",
    courses.MULTIPLE_JAPAN,
    "midnight in Japan: posts x 6 within seconds, for more than a minute; then midnights of other time zones, a night in a minute",
    posts=1.6,
    course=courses.midnights,
)
"""2011: 6,939 tweets a second 4 s after midnight, where ~1,100 were usual, and 68 seconds of three minutes above the old record (Twitter's blog, in
the Independent). 2013: 33,388, then 13,336, 11,675, 9,455 and 7,137 in UTC-5, +7, 0 and -8 (infographic, korea7s.com); that year ~5,700 were usual."""

CASTLE = _instant(
    "castle",
    25,
    "everybody posts in the same second, a quarter into the fault: posts x 25, up within a second, gone after three",
    posts=2.0,
    course=courses.chant,
)
"""Castle in the Sky, 2013-08-03 23:21:50 in Japan: 143,199 tweets in a second, where ~5,700 were usual (Twitter's engineering blog, 2013-08-16)."""

PLATEAU = _followed("plateau", 2.4, "news that last: reads and posts x 2.4, level before, during and after the fault")
"""Big events: 12 K tweets a second and more, where 5 K were the mean (Krikorian 2013). Level: the election of 2012 had 15,107 in its busiest second
and 14,576 a second in its busiest minute; the night of 2011-05-01 had 3,440 a second for 3 h 35 min (Twitter, in Time's techland)."""

CELEBRITY = Preset(
    name="celebrity",
    label="account 1 posts when the ramp begins: reads x 2.4, 14 % of them for its tweets; reactions die away as retweets do, a minute in a second",
    reads=Wave(200 / 3, READS_PEAK),
    posts=Wave(4 / 3, 16 / 3, courses.cascade),
    star_share=0.141,
)
"""Higgs boson on Twitter, 2012-07-04 (De Domenico et al., Sci. Rep. 3:2980; SNAP): in the busiest hour 14.1 % of the interactions went to one
account. Reactions: the memory kernel of SEISMIC. How many there are, three times the posts at rest while it is flat, is the lab's choice."""

ANNOUNCEMENT = _followed(
    "announcement", 3.8, "a result is announced: reads and posts x 3.8 over the ramp (seven minutes, told in its few seconds), then level"
)
"""US election 2012: from 85,273 to 327,452 tweets a minute within 7 minutes, then a plateau of hours (VentureBeat). `--phase ramp=420` takes the time it took."""

BACK_BUTTON = Preset(
    name="back_button",
    label="a stream ends and everybody goes back to the home page: reads x 25, home pages only, while posts fall by half. Read-light at rest, so that 25 times it fits",
    reads=Wave(READS_PEAK / 25, READS_PEAK),
    posts=Wave(2, 1),
    user_timeline_share=0.0,
)
"""Hotstar, India - New Zealand 2019: 25.3 M viewers, less than 1 M minutes later, and a storm on the API of the home page (re:Invent 2019, CMY302)."""

DIURNAL = _followed(
    "diurnal",
    1.4 / 0.6,
    "a day, as long as the load: reads and posts x 1.4 of their mean at noon, which is in the middle of the fault, x 0.6 at night",
    course=courses.day,
)
"""Tweets a second: 5 K mean, 7 K at the peak of a day (Krikorian 2013). The night is the mirror of the noon."""

_WITH_CLIENTS = re.compile(r"(?P<event>.+)\+(?P<crowd>[a-z_]+)", re.DOTALL)

PRESETS = {preset.name: preset for preset in (GOAL, NEW_YEAR, CASTLE, PLATEAU, CELEBRITY, ANNOUNCEMENT, BACK_BUTTON, DIURNAL)}


class UnknownPresetError(Exception):
    """No preset has that name."""


def named(name: str) -> Preset:
    """The preset of that name, `goal` for example, or with clients of another kind, `goal+impatient`; of a replay, the file is read.

    Raises UnknownPresetError, which lists what there is, and BadReplayError.
    """
    event, crowd = _split(name)
    preset = _replayed(replay.recording(event)) if replay.is_replay(event) else _listed(event)
    if not crowd:
        return preset
    if crowd not in clients.CLIENTS:
        raise UnknownPresetError(f"{name!r}: there are no clients {crowd!r}; there are {', '.join(clients.CLIENTS)}")
    return replace(preset, name=f"{preset.name}+{crowd}", clients=clients.CLIENTS[crowd])


def _split(name: str) -> tuple[str, str]:
    """The event, and the clients that are named after it; empty when none are."""
    parts = _WITH_CLIENTS.fullmatch(name)
    return (parts["event"], parts["crowd"]) if parts else (name, "")


def _listed(name: str) -> Preset:
    if name not in PRESETS:
        raise UnknownPresetError(f"there is no load preset {name!r}; there is {', '.join(PRESETS)}, and replay:FILE")
    return PRESETS[name]


def checked(name: str, phases: Phases) -> Preset:
    """The preset of that name, which can be laid over these phases. Raises UnknownPresetError and BadReplayError."""
    preset = named(name)
    preset.reads.over(phases)
    return preset


def people_at(second: float, preset: Preset, phases: Phases, *, peak: int) -> int | None:
    """How many people there are at that second when `peak` are there at the height of the event; None after the end."""
    if second >= phases[-1].end:
        return None
    return max(1, math.ceil(peak * preset.reads.over(phases).rate(second) / preset.reads.peak))


def _replayed(recording: replay.Recording) -> Preset:
    reads = Wave(0, READS_PEAK, recording)
    label = f"{recording.path.name}, its busiest minute in the middle of the fault; 50 : 1 throughout"
    return Preset(name=recording.name, label=label, reads=reads, posts=reads.scaled(1 / READS_PER_POST))
