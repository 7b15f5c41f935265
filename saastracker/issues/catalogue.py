"""All issues of a project: which keys they have, when and in which releases they were seen, and their status."""

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import msgspec

from saastracker.contracts import Reader
from saastracker.definition import Defined, Definitions
from saastracker.index import Seen, day_number
from saastracker.issues.counted import Counted, counted
from saastracker.issues.kinds import ISSUE, Issue
from saastracker.issues.raw import of_day_after
from saastracker.scope import LAST_DATE, Span

OPEN = ("open", "regressed")


class Known(msgspec.Struct):
    """An issue that was seen at least once, in whatever environment."""

    id: str  # its first key
    defined: Defined | None = None
    keys: dict[str, tuple[int, int]] = msgspec.field(default_factory=dict)  # last seen, and in which event
    indexed: list[str] = msgspec.field(default_factory=list)  # the index's keys
    first: int = 2**63  # ms
    last: int = -1
    newest: int = 0  # the sequence number of the event at `last`
    releases: dict[str, tuple[int, int]] = msgspec.field(default_factory=dict)  # first and last seen in each
    status: str = "open"
    seen_again: str | None = None  # a regressed one: the first release, "" where none is known

    def add(self, key: str, release: str, seen: Seen) -> None:
        self.keys[key] = max(self.keys.get(key, (-1, 0)), (seen.last, seen.last_sequence))
        self.indexed.append(seen.key)
        self.first = min(self.first, seen.first)
        self.last, self.newest = max((self.last, self.newest), (seen.last, seen.last_sequence))
        first, last = self.releases.get(release, (seen.first, seen.last))
        self.releases[release] = min(first, seen.first), max(last, seen.last)

    @property
    def decided(self) -> Issue | None:
        return self.defined.value if self.defined else None

    @property
    def since(self) -> int:
        """When its status was decided, in ms."""
        decided, defined = self.decided, self.defined
        if decided is None or defined is None:
            return 0
        moment = decided.ignored_at if decided.status == "ignored" else decided.resolved_at
        return int(moment.timestamp() * 1000) if moment else defined.updated_at


class Catalogue(msgspec.Struct):
    counted: Counted
    issues: dict[str, Known]  # by id
    owners: Mapping[str, str]  # ids by key, where people decided; all other keys are ids themselves
    releases: Mapping[str, int]  # when each had its first error

    def status(self, issue: str) -> str:
        """Of any id; what the index counts together with others is nobody's to decide."""
        return self.issues[issue].status if issue in self.issues else "open"

    def owner(self, key: str) -> str:
        return self.owners.get(key, key)

    def between(self, known: Known) -> tuple[str | None, str | None]:
        """The first and the last release of an issue, in the order in which releases had their first errors."""
        order = sorted((self.releases[release], release) for release in known.releases if release)
        return (order[0][1], order[-1][1]) if order else (None, None)


def catalogue(reader: Reader, project: str, timezone: str, definitions: Definitions) -> Catalogue:
    how = counted(reader, project, definitions)
    owners: dict[str, str] = {}
    of: dict[str, Defined] = {}
    for defined in definitions.of(project, ISSUE):
        own = [key for key in defined.value.keys if key not in owners]
        if own:
            owners |= dict.fromkeys(own, own[0])
            of[own[0]] = defined
    issues: dict[str, Known] = {}
    releases: dict[str, int] = {}
    for seen in (each for namespace in how.namespaces for each in reader.seen(project, namespace)):
        parts = how.split(seen.key)
        if parts is None:
            continue
        key, release = parts
        owner = owners.get(key, key)
        issues.setdefault(owner, Known(owner, of.get(owner))).add(key, release, seen)
        releases[release] = min(releases.get(release, seen.first), seen.first)
    found = Catalogue(how, issues, owners, releases)
    _settle(reader, project, timezone, found)
    return found


def _settle(reader: Reader, project: str, timezone: str, found: Catalogue) -> None:
    """Sets the status of each issue about which something was decided."""
    decided = [known for known in found.issues.values() if known.decided]
    resolved = [known for known in decided if known.decided and known.decided.status.startswith("resolved")]
    begun = _begun(reader, project, resolved)
    for known in decided:
        assert known.decided  # noqa: S101  # for mypy
        known.status = known.decided.status
        if known in resolved:
            known.seen_again = _seen_again(known, found, begun, timezone)
            known.status = "regressed" if known.seen_again is not None else known.status
        elif known.status == "ignored" and _enough(reader, project, timezone, found.counted, known):
            known.status = "open"


def _begun(reader: Reader, project: str, resolved: Iterable[Known]) -> dict[str, int]:
    """The first local date with an event, in days since 1970, of the releases that may be later ones."""
    asked: set[str] = set()
    for known in resolved:
        again = {release for release, (_, last) in known.releases.items() if release and last > known.since}
        if again and known.decided and known.decided.resolved_release:
            again.add(known.decided.resolved_release)
        asked |= again
    begun: dict[str, int] = {}
    if asked:
        for day, release, _ in reader.days(project, "release", 0, day_number(LAST_DATE), sorted(asked)):
            begun[release] = min(begun.get(release, day), day)
    return begun


def _seen_again(known: Known, found: Catalogue, begun: Mapping[str, int], timezone: str) -> str | None:
    """The first later release in which a resolved issue was seen again; None where it was not.

    Later is what had its first event after that of the release it was resolved in; after it was resolved,
    where that is not known. On the same day the first error decides. An error without a release counts,
    unless only the next release can tell.
    """
    decided = known.decided
    if decided is None:
        return None
    limit = _local_day(known.since, timezone), known.since
    of = decided.resolved_release
    if of is not None and of in begun:
        limit = begun[of], found.releases.get(of, -1)
    later: list[tuple[int, int, str]] = []
    for release, (_, last) in known.releases.items():
        if last <= known.since:
            continue
        if not release:
            if decided.status == "resolved":
                later.append((2**31, 0, release))
            continue
        first = found.releases[release]
        order = begun.get(release, _local_day(first, timezone)), first
        if order > limit:
            later.append((*order, release))
    return min(later)[2] if later else None


def _enough(reader: Reader, project: str, timezone: str, how: Counted, known: Known) -> bool:
    """Whether an issue was seen as often as it was to be ignored."""
    most = known.decided.ignored_until_events if known.decided else None
    if most is None or known.last <= known.since:
        return False
    day = _local_day(known.since, timezone)
    of_day = after = 0
    for namespace in how.namespaces:
        for each in reader.days(project, namespace, day, day_number(LAST_DATE), known.indexed):
            of_day += each.cell.events if each.day == day else 0
            after += each.cell.events if each.day > day else 0
    if after >= most or after + of_day < most:
        return after >= most
    start = date(1970, 1, 1) + timedelta(days=day)
    late = of_day_after(reader, project, Span(start, start, timezone), known.since, how)
    return after + sum(key in known.keys for key in late) >= most


def _local_day(time: int, timezone: str) -> int:
    return day_number(datetime.fromtimestamp(time / 1000, UTC).astimezone(ZoneInfo(timezone)).date())
