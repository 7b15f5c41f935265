"""Readers for which merged organizations are one: mapped when reading, nothing is rewritten."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, cast
from weakref import WeakKeyDictionary

import msgspec

from saastracker.contracts import Reader, Store
from saastracker.definition import Definition, Definitions
from saastracker.scope import Filter, Scope
from saastracker.written import Organization, Written, check_among, written

if TYPE_CHECKING:  # numpy takes 13 MB, which a server is spared until there are events
    from saastracker.actors import Actors
    from saastracker.index import Day

Known: TypeAlias = "WeakKeyDictionary[Actors, tuple[Written, Actors, dict[int, str]]]"  # by a store's actors

ORGANIZATION = Definition(
    kind="organization",
    title="Organizations, renamed or merged",
    about="Names and revenue that people wrote, and organizations that count for another one.",
    struct=Organization,
    check_among=check_among,
    by_hand=False,
)

_CALL = re.compile(r"\borganization\(\)")  # in SQL


def merging(store: Store, definitions: Definitions) -> Store:
    """A store whose readers take merged organizations for one, as definitions are when each begins to read."""
    return cast("Store", _Merging(store, definitions))


def settled(scope: Scope, definitions: Definitions) -> Scope:
    """A scope that asks for an organization by an id that was merged, asking for the one that it counts for."""
    merged = written_in(definitions, scope.project).merged
    filters = tuple(
        Filter("org", item.operator, merged.get(item.value, item.value))
        if item.dimension == "org" and item.operator in {"is", "is_not"}
        else item
        for item in scope.filters
    )
    return msgspec.structs.replace(scope, filters=filters) if filters != scope.filters else scope


def written_in(definitions: Definitions, project: str) -> Written:
    """What was written about the organizations of a project."""
    return written(each.value for each in definitions.of(project, ORGANIZATION.kind))


class _Merging:
    def __init__(self, store: Store, definitions: Definitions) -> None:
        self._store = store
        self._definitions = definitions
        self._known: Known = WeakKeyDictionary()  # stores remember actors, so what becomes of them is, too

    def __getattr__(self, name: str) -> Any:  # all that is not about reading
        return getattr(self._store, name)

    @contextmanager
    def reader(self, seconds: float = 30.0, cancelled: Callable[[], bool] = lambda: False) -> Iterator[Reader]:
        with self._store.reader(seconds, cancelled) as reader:
            yield cast("Reader", _Merged(reader, self._definitions, self._known))


class _Merged:
    def __init__(
        self,
        reader: Reader,
        definitions: Definitions,
        known: "Known",
    ) -> None:
        self._reader = reader
        self._definitions = definitions
        self._known = known
        self._written: dict[str, Written] = {}  # by project
        self._names: dict[int, str] = {}  # by the codes of organizations that no event named

    def __getattr__(self, name: str) -> Any:  # what knows no organization
        return getattr(self._reader, name)

    def organizations(self, project: str) -> Written:
        if project not in self._written:
            self._written[project] = written_in(self._definitions, project)
        return self._written[project]

    def query(self, sql: str, **parameters: Any) -> list[tuple[Any, ...]]:
        if "project" in parameters and _CALL.search(sql):
            merged = self.organizations(parameters["project"]).merged
            cases = ""
            for number, (org, target) in enumerate(merged.items()):
                cases += f" WHEN :merged{number} THEN :into{number}"
                parameters |= {f"merged{number}": org, f"into{number}": target}
            if cases:
                sql = _CALL.sub(f"(CASE org{cases} ELSE org END)", sql)
        return self._reader.query(sql, **parameters)

    def actors(self, project: str) -> "Actors":
        actors, told = self._reader.actors(project), self.organizations(project)
        if not told.merged:
            return actors
        known = self._known.get(actors)
        if known is None or known[0] != told:
            known = told, *_actors(actors, self._reader.texts(actors.org_codes), told.merged)
            self._known[actors] = known
        self._names |= known[2]
        return known[1]

    def texts(self, codes: Sequence[int]) -> dict[int, str]:
        found = self._reader.texts([code for code in codes if code not in self._names])
        return found | {code: self._names[code] for code in codes if code in self._names}

    def ids(self, project: str, of: Literal["person", "org"], text: str, limit: int) -> list[str]:
        found = self._reader.ids(project, of, text, limit)
        if of == "person":
            return found
        merged = self.organizations(project).merged
        return list(dict.fromkeys(merged.get(org, org) for org in found))

    def days(  # noqa: PLR0917
        self,
        project: str,
        namespace: str,
        first: int,
        last: int,
        keys: Sequence[str] | None = None,
        environment: str | None = None,
    ) -> "list[Day]":
        merged = self.organizations(project).merged if namespace == "org" else {}
        if keys is not None and merged:
            wanted = {*keys} - merged.keys()
            keys = [*wanted, *(org for org, target in merged.items() if target in wanted)]
        found = self._reader.days(project, namespace, first, last, keys, environment)
        return [day._replace(key=merged.get(day.key, day.key)) for day in found] if merged else found


def _actors(actors: "Actors", texts: Mapping[int, str], merged: Mapping[str, str]) -> "tuple[Actors, dict[int, str]]":
    """The actors with organizations counted as others, and names by the codes made up for this."""
    codes = {text: code for code, text in texts.items()}
    present = {org: target for org, target in merged.items() if org in codes}
    unseen = sorted({target for target in present.values() if target not in codes})
    made_up = {-number: target for number, target in enumerate(unseen, 1)}
    codes |= {target: code for code, target in made_up.items()}
    return actors.merging({codes[org]: codes[target] for org, target in present.items()}), made_up
