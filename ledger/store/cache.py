"""A bounded cache of folded states: two generations, so that a hit costs one dictionary look-up."""

from typing import Generic, TypeVar

Value = TypeVar("Value")


class GenerationalCache(Generic[Value]):
    """Keeps `size` values and at most half as many more, the most recently used half always.

    New and re-used values live in the young generation. Nothing is forgotten before `trim`, so that
    a state with unwritten facts cannot be lost half-way; then a full young generation becomes old.
    """

    def __init__(self, size: int) -> None:
        self._size = size
        self._half = max(1, size // 2)
        self._young: dict[str, Value] = {}
        self._old: dict[str, Value] = {}

    def get(self, key: str) -> Value | None:
        """The value, renewed; None where it is not known."""
        value = self._young.get(key)
        if value is None:
            value = self._old.pop(key, None)
            if value is not None:
                self._young[key] = value
        return value

    def put(self, key: str, value: Value) -> None:
        """Keep a value as the youngest."""
        self._young[key] = value

    def trim(self) -> None:
        """Forget the old generation when there are too many; nothing may be half-way now.

        While all fit, none is forgotten: one who goes round them would miss what goes first.
        """
        if len(self) > self._size and len(self._young) >= self._half:
            self._old = self._young
            self._young = {}

    def drop(self, key: str) -> None:
        """Forget a value."""
        self._young.pop(key, None)
        self._old.pop(key, None)

    def clear(self) -> None:
        """Forget everything."""
        self._young.clear()
        self._old.clear()

    def __len__(self) -> int:
        return len(self._young) + len(self._old)
