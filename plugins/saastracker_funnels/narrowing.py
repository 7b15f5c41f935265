"""Leaves out page views on paths that no step of a funnel begins with: most of them, of most funnels."""

from collections.abc import Sequence

import numpy as np

from saastracker.contracts import Reader
from saastracker.index import Integers, unique
from saastracker.rules import Rule

UNKNOWN, WANTED = 2, 1


class Paths:
    """Which paths rules ask for, told piece by piece; what the index does not know the path of stays."""

    def __init__(self, reader: Reader, rules: Sequence[Rule]) -> None:
        self._reader = reader
        self._prefixes: dict[str, tuple[str, ...] | None] = {}  # by name; None: a rule takes any path
        for rule in rules:
            before = self._prefixes.get(rule.name, ())
            if rule.path_prefix is None or before is None:
                self._prefixes[rule.name] = None
            else:
                self._prefixes[rule.name] = (*before, rule.path_prefix)
        # By name, then by code of the path: WANTED, 0 or UNKNOWN. A path of 0 is not known, which any rule may want.
        self._kinds = {name: np.array([WANTED], np.uint8) for name in self._prefixes}

    def narrow(self, name: str, path: Integers) -> Integers | None:
        """The places of the events that a rule may want, by their name and paths; None for all."""
        prefixes = self._prefixes.get(name)
        if prefixes is None or not len(path):
            return None
        kinds = self._kinds_to(name, int(path.max()))
        kind = kinds.take(path)
        if kind.max() == UNKNOWN:
            self._learn(kinds, unique(path[kind == UNKNOWN]), prefixes)
            kind = kinds.take(path)
        return np.flatnonzero(kind == WANTED)

    def _kinds_to(self, name: str, largest: int) -> "np.ndarray[tuple[int], np.dtype[np.uint8]]":
        kinds = self._kinds[name]
        if largest >= len(kinds):
            more = np.full(largest + 1 - len(kinds), UNKNOWN, np.uint8)
            kinds = self._kinds[name] = np.concatenate([kinds, more])
        return kinds

    def _learn(
        self, kinds: "np.ndarray[tuple[int], np.dtype[np.uint8]]", codes: Integers, prefixes: tuple[str, ...]
    ) -> None:
        texts = self._reader.texts(codes.tolist())
        kinds[codes] = [texts.get(code, "").startswith(prefixes) for code in codes.tolist()]
