"""Rows of long tables that are made when they are read: a page shows a hundred of them."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, overload

FIRST = 100  # rows made at once by who goes through them; then twice as many, as few stop soon


class Late(Sequence[list[Any]]):
    """Rows that `make` makes of their numbers, in the order of those, as long as the report's reader lasts.

    `values` has for columns, by their keys, what rows are sorted by, of a row's number; it is never None.
    """

    def __init__(
        self,
        numbers: Sequence[int],
        make: Callable[[Sequence[int]], list[list[Any]]],
        values: Mapping[str, Callable[[int], Any]],
    ) -> None:
        self._numbers, self._make, self._values = numbers, make, values

    def __len__(self) -> int:
        return len(self._numbers)

    @overload
    def __getitem__(self, place: int) -> list[Any]: ...
    @overload
    def __getitem__(self, place: slice) -> list[list[Any]]: ...
    def __getitem__(self, place: int | slice) -> list[Any] | list[list[Any]]:
        if isinstance(place, slice):
            return self._make(self._numbers[place])
        return self._make([self._numbers[place]])[0]

    def __iter__(self) -> Iterator[list[Any]]:
        start, count = 0, FIRST
        while start < len(self):
            yield from self[start : start + count]
            start, count = start + count, count * 2

    def ordered(self, key: str, *, falling: bool) -> "Late | None":
        """The rows by a column, still unmade; None for one that only the rows have."""
        if key not in self._values:
            return None
        return Late(sorted(self._numbers, key=self._values[key], reverse=falling), self._make, self._values)
