"""What events told about people and organizations: of each trait the newest, by arrival."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeAlias

import msgspec

from saastracker.contracts import Reader
from saastracker.event import NAME_MAX
from saastracker.persons import Joining, Person
from saastracker.written import NOTHING_WRITTEN, Written

KEPT_MAX = 64_000_000  # bytes of one project between two reports
KEPT_EACH = 400  # bytes that a person takes beside the traits
PROJECTS_MAX = 8  # of which something is kept

Sent: TypeAlias = tuple[tuple[int, bytes], ...]  # sequence numbers and JSON, oldest first


class Facts(msgspec.Struct, frozen=True):
    name: str | None = None
    mrr: float | None = None  # monthly recurring revenue, in the project's currency


class _Traits(msgspec.Struct):
    user: msgspec.Raw = msgspec.Raw()
    company: msgspec.Raw = msgspec.Raw()


_traits = msgspec.json.Decoder(_Traits)
_keys = msgspec.json.Decoder(dict[str, msgspec.Raw])


class Told(msgspec.Struct):
    """All that the events of one project told."""

    events: int = 0  # with traits
    last: int = 0  # sequence number of the last of them
    whole: bool = True  # whether it knows people, who may be too many to remember
    early: bool = False  # whether somebody told a name without a user id
    size: int = 0  # bytes, about
    organizations: dict[str, Facts] = {}
    companies: dict[str, bytes] = {}  # the JSON that was the last to tell of each organization
    persons: dict[Person, Sent] = {}  # before joining; of each what was the last to tell some trait

    def copy(self) -> "Told":
        return Told(
            self.events,
            self.last,
            self.whole,
            self.early,
            self.size,
            dict(self.organizations),
            dict(self.companies),
            dict(self.persons),
        )

    def traits(self, person: Joining) -> Callable[[Person], dict[str, Any]]:
        """Makes the traits of a person, with those of the anonymous ids that became it."""
        joined: dict[Person, Sent] = {}
        for each, sent in self.persons.items():
            who = person(None, each.id) if each.anonymous else None
            if who is not None and who != each:
                joined[who] = joined.get(who, ()) + sent
        return lambda who: _together(self.persons.get(who, ()) + joined.get(who, ()))

    def own(self, person: Person) -> dict[str, Any]:
        """The traits of a person before joining."""
        return _together(self.persons.get(person, ()))

    def full_names(self, people: Iterable[str], joining: Callable[[], Joining]) -> dict[str, str]:
        """Of people by their ids, as far as they are known; `joining` is called only if it matters."""
        # Hardly anybody has a name before a user id, and to know who became whom takes long.
        traits = self.traits(joining()) if self.early else self.own
        found = {each: full_name(traits(Person(False, each)) or self.own(Person(True, each))) for each in people}
        return {each: name for each, name in found.items() if name}

    def name(self, org: str | None) -> str | None:
        """Of an organization."""
        return self.organizations[org].name if org in self.organizations else None

    def add(self, sequence: int, who: Person | None, org: str | None, traits: str) -> None:
        """What an event told, newer than all before."""
        self.last = sequence
        sent = _traits.decode(traits)
        if who is not None and self.whole:
            self._add_person(sequence, who, bytes(sent.user))
        if org is not None:
            self._add_organization(org, bytes(sent.company))

    def _add_person(self, sequence: int, who: Person, traits: bytes) -> None:
        before = self.persons.get(who, ())
        if before and before[-1][1] == traits:  # as most events do
            self.persons[who] = (*before[:-1], (sequence, traits))
        elif traits.startswith(b"{"):
            now = self.persons[who] = _newest(before, sequence, traits)
            self.size += _size(now) - _size(before)
            self.early |= who.anonymous and b"_name" in traits

    def _add_organization(self, org: str, traits: bytes) -> None:
        if traits.startswith(b"{") and self.companies.get(org) != traits:
            self.companies[org] = traits
            self.organizations[org] = facts(self.organizations.get(org, Facts()), msgspec.json.decode(traits))


class Memory:
    """What was told of a few projects until now, so that a report reads only what came since. Safe in threads."""

    def __init__(self) -> None:
        self._told: dict[str, Told] = {}  # by project; what is in here is never changed

    def told(self, reader: Reader, project: str, *, whole: bool = True) -> Told:
        """What all events told that the reader sees, and what people wrote instead.

        Not `whole`: without people if they are too many to be remembered, as reading them all again takes long.
        """
        now, written = self._of_events(reader, project, whole), reader.organizations(project)
        if written == NOTHING_WRITTEN:
            return now
        return msgspec.structs.replace(now, organizations=with_written(now.organizations, written))

    def _of_events(self, reader: Reader, project: str, whole: bool) -> Told:
        known = self._told.get(project, Told())
        if whole and not known.whole:
            known = Told()
        if known.events != _count(reader, project, known.last):  # some were erased, or it knows more than the reader
            known = Told()
        now = _since(reader, project, known)
        if now is not known:
            self._keep(project, now)
        return now

    def _keep(self, project: str, told: Told) -> None:
        self._told.pop(project, None)
        fits = told.size <= KEPT_MAX
        self._told[project] = told if fits else msgspec.structs.replace(told, whole=False, size=0, persons={})
        while len(self._told) > PROJECTS_MAX:
            # Another thread may have dropped it just now.
            self._told.pop(next(iter(self._told)), None)


def _count(reader: Reader, project: str, last: int) -> int:
    if not last:
        return 0
    [(events,)] = reader.query(
        "SELECT COUNT(*) FROM events WHERE project = :project AND traits IS NOT NULL AND sequence <= :last",
        project=project,
        last=last,
    )
    return int(events)


def _since(reader: Reader, project: str, known: Told) -> Told:
    # What was told several times is read once.
    rows = reader.query(
        """SELECT "user", anonymous, org, traits, MAX(sequence), COUNT(*) FROM events
        WHERE project = :project AND traits IS NOT NULL AND sequence > :last GROUP BY 1, 2, 3, 4 ORDER BY 5""",
        project=project,
        last=known.last,
    )
    if not rows:
        return known
    now = known.copy()
    for user, anonymous, org, traits, sequence, events in rows:
        who = Person(user is None, user or anonymous) if user or anonymous else None
        now.add(sequence, who, org, traits)
        now.events += events
    return now


def _newest(before: Sent, sequence: int, traits: bytes) -> Sent:
    """What was the last to tell some trait, with one more."""
    later, kept = set(_keys.decode(traits)), []
    for old in reversed(before):
        own = set(_keys.decode(old[1]))
        if own - later:
            kept.append(old)
            later |= own
    return (*reversed(kept), (sequence, traits))


def _size(sent: Sent) -> int:
    return sum(KEPT_EACH + len(traits) for _, traits in sent)


def _together(sent: Sent) -> dict[str, Any]:
    known: dict[str, Any] = {}
    for _, traits in sorted(sent):
        known |= msgspec.json.decode(traits)
    return known


def with_written(found: Mapping[str, Facts], written: Written) -> dict[str, Facts]:
    """What is known of organizations: what people wrote, else what events told, of those merged into it at last."""
    known = {org: about for org, about in found.items() if org not in written.merged}
    for org, target in sorted(written.merged.items()):
        if org in found:
            known[target] = _or(known.get(target, Facts()), found[org])
    for org, about in written.about.items():
        if org not in written.merged:
            known[org] = _or(Facts(about.name, about.mrr), known.get(org, Facts()))
    return known


def _or(first: Facts, second: Facts) -> Facts:
    return Facts(first.name or second.name, second.mrr if first.mrr is None else first.mrr)


def facts(before: Facts, company: Mapping[str, Any]) -> Facts:
    """What is known of an organization after it was told once more."""
    custom = company.get("custom")
    name, mrr = company.get("name"), custom.get("mrr") if isinstance(custom, dict) else None
    return Facts(
        _text(name) or before.name,
        mrr if isinstance(mrr, int | float) and not isinstance(mrr, bool) else before.mrr,
    )


def email(traits: Mapping[str, Any]) -> str | None:
    return _text(traits.get("email"))


def full_name(traits: Mapping[str, Any]) -> str | None:
    """First and last name, as far as they are known."""
    return " ".join(filter(None, (_text(traits.get("first_name")), _text(traits.get("last_name"))))) or None


def _text(value: object) -> str | None:
    """What fits into pages of a text, which may be as long as an event."""
    return value[:NAME_MAX] if isinstance(value, str) and value else None
