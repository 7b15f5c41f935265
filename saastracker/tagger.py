"""Tagger: what the index counts beside the columns of events, such as the features people use."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from saastracker.definition import NAME, Defined
from saastracker.event import Event

COLUMNS = tuple(
    name
    for name in Event.__struct_fields__
    if name not in {"time", "value", "id", "received_at", "sequence", "traits", "user_agent", "address", "drop"}
)

VALUED = "valued"

NAMESPACES = (
    "all",
    "name",
    "type",
    "path",  # of all but page views
    "page",  # paths of page views
    "org",
    "release",
    "country",
    "browser",
    "os",
    "device",
    "plan",
    "hour",  # one cell a day, with the hours in place of actors
)

KEY_MAX = 200  # characters; longer ones are cut


class Tagging(msgspec.Struct, frozen=True, kw_only=True):
    """How events get their keys, for one project as it is now.

    `keys` is called once for each distinct row of `columns`, so those should be few: properties differ
    with nearly every event and have to be read besides. A key is cut behind KEY_MAX characters.
    """

    # Of Event, of texts; what `keys` is given, in this order. VALUED is a text for an event with a value.
    columns: tuple[str, ...]
    keys: Callable[..., Sequence[str]]  # of one row: none, one or several; None stands for what an event lacks
    # Only events whose column has one of these values are looked at; each column given must fit.
    wanted: Mapping[str, frozenset[str]] = {}
    # Where `columns` has properties: only those that may have one with such a name are read, the rest is None.
    named: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if unknown := sorted({*self.columns} - {*COLUMNS, VALUED} | {*self.wanted} - {*COLUMNS}):
            raise ValueError(f"events have no column of texts {', '.join(unknown)}")
        if "properties" in self.wanted:
            raise ValueError("properties differ with nearly every event: look at them in keys, not in wanted")


class Tagger(msgspec.Struct, frozen=True, kw_only=True):
    """Gives events keys under which the index counts them, as it does under their columns.

    With a `kind`, each definition of that kind has a tagging of its own, whose keys are put behind the
    definition's id: the key "" is counted under `4711`, "2" under `4711/2`. A new or changed definition
    is followed from the first event on; until that is done, `Reader.tagged` is below 1.

    Raises ValueError for a wrong namespace.
    """

    namespace: str  # of the keys: `feature`
    version: int  # of the code; another one than before means: from the first event on
    tagging: Callable[[Any], Tagging | None]  # of a definition's value, None without a kind; None: no events
    kind: str | None = None  # of definition
    distribution: bool = False  # whether cells keep the value of each event, for percentiles

    def __post_init__(self) -> None:
        if not NAME.fullmatch(self.namespace):
            raise ValueError(f"namespace {self.namespace!r}: use lower-case letters, digits and hyphens")


def units(tagger: Tagger, defined: Sequence[Defined]) -> dict[str, tuple[str, Any]]:
    """What a tagger follows one by one: definitions' ids, or "" for all; with the version and the value."""
    if tagger.kind is None:
        return {"": (str(tagger.version), None)}
    return {each.id: (f"{tagger.version}.{each.version}", each.value) for each in defined}
