"""A game day's totals in sentences."""

from __future__ import annotations

import msgspec
import pytest

from failwhale import daypage
from failwhale.dayreport import Totals

NUMBERS = [name for name in Totals.__annotations__ if name != "verdicts"]


ONE = (
    "1 of 1 drill was done, 1 ended as predicted. Of 1 acknowledged post in 1 audit 1 was lost and 1 duplicated. "
    "Alerts were expected of 1 drill, of which 1 was detected; 1 alert was missed, 1 not expected. 1 sham twin fired 1 alert."
)
NONE = (
    "0 of 0 drills were done, 0 ended as predicted. Of 0 acknowledged posts in 0 audits 0 were lost and 0 duplicated. "
    "Alerts were expected of 0 drills, of which 0 were detected; 0 alerts were missed, 0 not expected. 0 sham twins fired 0 alerts."
)


@pytest.mark.parametrize(("number", "sentences"), [(1, ONE), (0, NONE)])
def test_one_is_told_in_the_singular_and_everything_else_in_the_plural(number: int, sentences: str) -> None:
    totals = msgspec.convert(dict.fromkeys(NUMBERS, number) | {"verdicts": {}}, Totals)
    assert daypage.summary(totals) == sentences


def test_thousands_are_set_apart() -> None:
    totals = msgspec.convert(dict.fromkeys(NUMBERS, 41_407) | {"verdicts": {}}, Totals)
    assert "Of 41,407 acknowledged posts in" in daypage.summary(totals)
