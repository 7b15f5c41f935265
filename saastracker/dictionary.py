"""The ids of texts: each text of an event is stored once, the event holds its number."""

import sys
from collections.abc import Callable, Iterable, Mapping

CACHE_BYTES = 24 * 1024 * 1024  # some 100 000 texts
ENTRY_BYTES = 140  # a text's place in the cache besides the text
NO_TEXT = 0

Find = Callable[[list[str]], Mapping[str, int]]  # the ids of texts in the database, new ones for those without


class Dictionary:
    """Gives out ids; the texts used lately are kept in memory. Lives as long as what `find` does is not undone.

    The cache has two generations: when the younger is full it becomes the older, and that is
    dropped; what is used again moves to the younger. So a hit costs no more than a dict's.
    """

    def __init__(self, find: Find) -> None:
        self._find = find
        self._young: dict[str | None, int] = {None: NO_TEXT}
        self._old: dict[str | None, int] = {}
        self._bytes = 0  # of the younger

    def codes(self, texts: Iterable[str | None]) -> Mapping[str | None, int]:
        """A mapping that holds the ids of these texts, and of others. Valid until the next call."""
        if self._bytes > CACHE_BYTES // 2:
            self._young, self._old, self._bytes = {None: NO_TEXT}, self._young, 0
        missing = set(texts).difference(self._young)
        if missing:
            # Not `missing.intersection(self._old)`: that goes through all of a dict, a millisecond a commit.
            self._young.update((text, self._old[text]) for text in missing if text in self._old)
            self._young.update(self._find([text for text in missing if text is not None and text not in self._old]))
            self._bytes += sum(sys.getsizeof(text) + ENTRY_BYTES for text in missing)
        return self._young

    def forget(self, texts: Iterable[str]) -> None:
        """Texts that were deleted."""
        for text in texts:
            self._young.pop(text, None)
            self._old.pop(text, None)
