"""How well the names of a thing match what somebody looks for."""

import re
from collections.abc import Sequence

from saastracker.definition import Defined

WHOLE, START, WORD, INSIDE = range(4)  # the first is the closest


def closeness(text: str, names: Sequence[str | None]) -> int | None:
    """Whether one of the names is the text, begins with it, has a word that does, or holds it; None for none.

    Upper and lower case are the same.
    """
    wanted = text.casefold()
    found = (_closeness(wanted, name.casefold()) for name in names if name)
    return min((each for each in found if each is not None), default=None)


def named(text: str, definitions: Sequence[Defined]) -> list[Defined]:
    """The definitions whose name matches a text, the closest first; their structs have a `name`."""
    close = {each.id: closeness(text, [each.value.name]) for each in definitions}
    found = [each for each in definitions if close[each.id] is not None]
    return sorted(found, key=lambda each: (close[each.id], each.value.name))


def _closeness(wanted: str, name: str) -> int | None:
    if wanted not in name:
        return None
    if name.startswith(wanted):
        return WHOLE if name == wanted else START
    return WORD if re.search(rf"\b{re.escape(wanted)}", name) else INSIDE
