from __future__ import annotations

from reference_app.kit.ttl_cache import TtlCache


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_an_entry_expires() -> None:
    clock = Clock()
    cache: TtlCache[str, int] = TtlCache(ttl_s=10, size=5, monotonic=clock)
    cache.put("a", 1)
    clock.now = 9.9
    assert cache.get("a") == 1
    clock.now = 10.0
    assert cache.get("a") is None


def test_the_oldest_entry_makes_room() -> None:
    cache: TtlCache[str, int] = TtlCache(ttl_s=10, size=2, monotonic=Clock())
    for number, key in enumerate("abac"):
        cache.put(key, number)
    assert (cache.get("a"), cache.get("b"), cache.get("c")) == (2, None, 3)


def test_a_dropped_entry_is_gone_and_may_be_dropped_again() -> None:
    cache: TtlCache[str, int] = TtlCache(ttl_s=10, size=2, monotonic=Clock())
    cache.put("a", 1)
    cache.drop("a")
    cache.drop("a")
    assert cache.get("a") is None


def test_what_has_expired_takes_no_memory_once_another_comes() -> None:
    clock = Clock()
    cache: TtlCache[int, int] = TtlCache(ttl_s=10, size=1000, monotonic=clock)
    for clock.now in range(100):
        cache.put(int(clock.now), 0)
    assert len(cache) == 10
