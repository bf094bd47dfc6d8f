from __future__ import annotations

import itertools

import pytest

from loadgen.model import courses
from loadgen.model.presets import Wave
from reference_app.contract.plan import phases

PHASES = phases()
COURSES = {"surge": courses.surge, "day": courses.day, "chant": courses.chant, "midnights": courses.midnights, "cascade": courses.cascade}


def heights(course):
    """As a curve, so that it can be asked and integrated."""
    return Wave(0, 1, course).over(PHASES)


@pytest.mark.parametrize("course", COURSES.values(), ids=COURSES)
@pytest.mark.parametrize("lengths", [{}, {"warmup": 0, "ramp": 0}, {"fault": 0}, {"after": 0, "decay": 0}, {"ramp": 0.3, "fault": 7.7}])
def test_a_course_covers_its_plan_without_gaps_between_rest_and_height(course, lengths):
    laid = phases(lengths)
    legs = course(laid)
    assert (legs[0].start, legs[-1].end) == (0, laid[-1].end)
    assert all(left.end == right.start for left, right in itertools.pairwise(legs))
    assert all(leg.start < leg.end and 0 <= leg.first <= 1 and 0 <= leg.last <= 1 for leg in legs)


@pytest.mark.parametrize("course", COURSES.values(), ids=COURSES)
def test_the_height_of_a_course_is_reached_where_the_fault_meets_it(course):
    height, fault = heights(course), PHASES[4]
    assert fault.name == "fault"
    if course is courses.cascade:  # what one tweet brings about is over soon: its reads stay, see the preset
        assert height.rate(PHASES[2].start + 2) == 1
    else:
        assert max(height.rate(fault.start + n / 10) for n in range(400)) == pytest.approx(1)


def test_a_chant_is_there_within_a_second_for_one_second():
    height = heights(courses.chant)
    assert [height.rate(t) for t in (0, 79, 79.5, 80, 80.9, 82, 83, 100)] == pytest.approx([0, 0, 0.5, 1, 1, 0.5, 0, 0])


def test_midnight_stays_above_half_for_more_than_a_minute():
    height = heights(courses.midnights)
    assert height.rate(45) == 0
    assert sum(height.rate(n / 10) > 0.5 for n in range(1600)) / 10 == pytest.approx(64, abs=0.2)


def test_echoes_of_midnight_have_the_share_that_was_counted_in_their_zones():
    height = heights(courses.midnights)
    hour = (160 - 110) / 20
    for after, tweets in courses.MIDNIGHTS:
        top = height.rate(110 + (after + courses.ECHO_RISE_H) * hour)
        assert (1 + 5 * top) / 6 == pytest.approx(tweets / courses.MIDNIGHT_JAPAN)
        assert top > 1.5 * height.rate(110 + (after - 0.1) * hour)


def test_a_cascade_has_the_published_shares_of_its_reactions_in_five_minutes_and_in_an_hour():
    """18.8 % and 54 % of all there will ever be; the memory kernel of SEISMIC integrates to one."""
    height = heights(courses.cascade)
    whole = 0.00062657**-1 / courses.SEISMIC_SPEED
    assert height.expected(45, 50) / whole == pytest.approx(0.188 * (5 - 0.5) / 5, rel=0.01)  # they begin within a second, not at once
    assert height.expected(45, 105) / whole == pytest.approx(0.54, abs=0.03)


def test_noon_is_in_the_middle_of_the_fault_and_the_night_half_a_day_away():
    height = heights(courses.day)
    assert height.rate(90) == pytest.approx(1)
    assert height.rate(10) == pytest.approx(0)
