"""The cache of states: bounded, and never in the way of a running batch."""

from hypothesis import given
from hypothesis import strategies as st

from ledger.store.cache import GenerationalCache


def test_the_most_recently_used_half_is_kept() -> None:
    cache: GenerationalCache[int] = GenerationalCache(4)
    for n in range(100):
        cache.put(str(n), n)
        cache.trim()
    assert [n for n in range(100) if cache.get(str(n)) is not None][-2:] == [98, 99]
    assert len(cache) <= 6


def test_whoever_goes_round_as_many_as_fit_misses_none() -> None:
    cache: GenerationalCache[int] = GenerationalCache(10)
    for n in range(10):
        cache.put(str(n), n)
        cache.trim()
    for _ in range(3):
        for n in range(10):
            assert cache.get(str(n)) == n
            cache.trim()


def test_what_is_used_again_is_young_again() -> None:
    cache: GenerationalCache[int] = GenerationalCache(4)
    for n in range(50):
        cache.put(str(n), n)
        cache.put("hot", 1) if n == 0 else cache.get("hot")
        cache.trim()
    assert cache.get("hot") == 1


@given(st.integers(1, 20), st.lists(st.tuples(st.sampled_from("pgdt"), st.integers(0, 30))))
def test_it_is_a_dictionary_that_forgets_only_when_told_to(
    size: int, steps: list[tuple[str, int]]
) -> None:
    cache: GenerationalCache[int] = GenerationalCache(size)
    known: dict[int, int] = {}
    touched: set[int] = set()
    largest = size
    for step, key in steps:
        if step == "p":
            cache.put(str(key), known.setdefault(key, key))
            touched.add(key)
        elif step == "g":
            found = cache.get(str(key))
            assert found in {known.get(key), None}
            touched |= {key} if found is not None else set()
        elif step == "d":
            cache.drop(str(key))
            known.pop(key, None)
            touched.discard(key)
        else:
            largest = max(largest, len(touched))
            cache.trim()
            # A batch may be larger than the cache.
            assert len(cache) <= size + size // 2 + 2 * largest
            touched = set()
        assert all(cache.get(str(k)) == known[k] for k in touched)
    cache.clear()
    assert len(cache) == 0
