from __future__ import annotations

from chaos import injections
from chaos.events import Event


def applied(at: float, fault: str, component: str, number: int) -> Event:
    return Event(at, "injected", fault, (component,), {"number": number})


def undone(at: float, fault: str, component: str, number: int, **measured: float) -> Event:
    return Event(at, "undone", fault, (component,), {"number": number} | ({"measured": measured} if measured else {}))


TWO_OF_A_GROUP = (
    Event(1.0, "decider_set", "set_decider", (), {"number": 1}),
    applied(70.0, "pause", "tweet-cache-0", 2), applied(70.4, "pause", "tweet-cache-1", 3),
    undone(110.0, "pause", "tweet-cache-1", 3), undone(110.5, "pause", "tweet-cache-0", 2, packets=7.0),
    Event(150.0, "undone", "set_decider", (), {"number": 1}),
)  # fmt: skip


def test_each_fault_has_its_own_undo() -> None:
    first, second = injections.of(TWO_OF_A_GROUP)
    assert first.undone is not None
    assert second.undone is not None
    assert (first.undone.at, second.undone.at) == (110.5, 110.0)
    assert (first.measured, second.measured) == ({"packets": 7.0}, {})


def test_a_run_is_broken_from_the_first_injection_to_the_last_undo_of_a_fault_and_settings_do_not_count() -> None:
    begun, ended = injections.span(TWO_OF_A_GROUP)
    assert begun is not None
    assert ended is not None
    assert (begun.at, ended.at) == (70.0, 110.5)


def test_while_one_fault_is_in_force_the_run_is_broken() -> None:
    begun, ended = injections.span(TWO_OF_A_GROUP[:4])
    assert begun is not None
    assert ended is None


def test_a_number_that_is_given_again_is_not_taken_for_the_fault_that_had_it_before() -> None:
    failed = undone(60.0, "pause", "tweet-cache-0", 1)
    (only,) = injections.of([failed, applied(70.0, "pause", "tweet-cache-0", 1)])
    assert only.undone is None


def test_without_an_injection_there_is_nothing() -> None:
    assert injections.of(()) == ()
    assert injections.span([Event(1.0, "sham_applied", "pause")]) == (None, None)


def test_the_steps_of_a_sham_are_told_apart_from_faults() -> None:
    sham = Event(70.0, "sham_applied", "pause", ("tweet-cache-0",), {"number": 1})
    (step,) = injections.of([sham, undone(110.0, "pause", "tweet-cache-0", 1)], "sham_applied")
    assert step.undone is not None
