"""People by their ids, e-mail addresses and names, for those who type a part of one."""

import re
from collections.abc import Iterator, Sequence

from saastracker.contracts import Match, Reader
from saastracker.matching import closeness
from saastracker.persons import Person, joining
from saastracker.told import Memory, Told, email, full_name

_PLAIN = re.compile(rb"[\w@.+-]+")  # stands in JSON as it is


def search(memory: Memory, reader: Reader, project: str, text: str, limit: int) -> Sequence[Match]:
    """An anonymous id that became a user's is the user."""
    told = memory.told(reader, project)
    ids = reader.ids(project, "person", text, limit)
    found = {*_told(told, text), *(_person(told, each) for each in ids)}
    user = joining(reader, reader.actors(project)) if any(who.anonymous for who in found) else None
    matches: dict[str, tuple[bool, int, str, Match]] = {}
    for who in sorted(found):
        traits = told.own(who)
        names = [full_name(traits), email(traits), who.id]
        close = closeness(text, names)
        if close is None:
            continue
        joined = user(None, who.id) if user and who.anonymous else None
        title, *others = [name for name in names if name]
        match = Match(joined.id if joined else who.id, title, " · ".join(others))
        before = matches.get(match.item)
        ranked = not others, close, title, match  # those of whom more is known than an id come first
        if before is None or ranked[:2] < before[:2]:
            matches[match.item] = ranked
    return [match for *_, match in sorted(matches.values(), key=lambda each: each[:3])[:limit]]


def _person(told: Told, text: str) -> Person:
    """Who has an id: the user of that id, else the visitor."""
    anonymous = Person(True, text)
    return anonymous if anonymous in told.persons and Person(False, text) not in told.persons else Person(False, text)


def _told(told: Told, text: str) -> Iterator[Person]:
    """People of whom a trait may hold the text: a look at JSON, which is quicker than reading it."""
    words = [word for word in text.lower().encode().split() if _PLAIN.fullmatch(word)]
    for who, sent in told.persons.items():
        traits = b" ".join(each for _, each in sent).lower()
        if all(word in traits for word in words):
            yield who
