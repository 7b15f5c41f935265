"""Who is erased is nowhere any more: not in events, reports, facts or a byte of the file; the audit log tells it."""

import subprocess
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import pytest

from saastracker import audit, keeping
from saastracker.contracts import Group
from saastracker.definitions import Definitions
from saastracker.erasable import Subject
from saastracker.erasures import JOB, KIND, Erasures, mark
from saastracker.errors import NotFound, Unavailable
from saastracker.event import Event
from saastracker.facts import Facts
from saastracker.indexer import Indexer
from saastracker.job import JobContext, Notice
from saastracker.merging import ORGANIZATION, merging
from saastracker.notify import Notices
from saastracker.personal import everything
from saastracker.secrets import Secrets
from saastracker.testing.opened import submission
from saastracker.views import VIEW
from saastracker.wire import Project
from saastracker_sqlite.records import SqliteRecords
from saastracker_sqlite.store import SqliteStore

NOW = 1_770_000_000_000
DAY = 86_400_000
ADA, BOB = "ada.lovelace@example.com", "bob.builder@example.com"
PHONE, TABLET, LAPTOP = "device-phone-1", "device-tablet-2", "device-laptop-3"
KINDS = {each.kind: each for each in (ORGANIZATION, VIEW)}


@dataclass
class Kept:
    path: Path
    store: SqliteStore
    records: SqliteRecords
    facts: Facts
    definitions: Definitions
    erasures: Erasures
    indexer: Indexer
    project: Project
    other: Project

    def add(self, *events: Event, project: Project | None = None) -> None:
        for each in events:
            each.received_at = each.received_at or NOW
        self.store.append(Group([submission(*events, project=project or self.project)]))

    def follow(self) -> None:
        self.indexer.begin()
        while any(self.indexer.step()):
            pass

    def run(self, cancelled: Callable[[], bool] = lambda: False, write: Callable[[Any], None] | None = None) -> None:
        known = merging(self.store, self.definitions)
        work = write or (lambda work: work())
        jobs = keeping.jobs(self.facts, self.records, self.erasures, known, work, lambda: self.indexer.step() and None)
        jobs[JOB].run(
            JobContext(
                now=NOW,
                projects=(),
                definitions=self.definitions,
                reader=known.reader,
                progress=lambda _done, _total: None,
                cancelled=cancelled,
            )
        )

    def found(self, *texts: str) -> list[str]:
        """Those that some file of the database still holds, seen from outside: this process has them open."""
        files = [str(each) for each in self.path.parent.glob("saastracker.db*")]
        search = ["grep", "--binary-files=text", "-l", "-F"]
        return [text for text in texts if subprocess.run([*search, text, *files], check=False, stdout=-1).stdout]


@pytest.fixture
def kept(tmp_path: Path) -> Iterator[Kept]:
    path = tmp_path / "saastracker.db"
    with closing(SqliteRecords(path)) as records, closing(SqliteStore(path)) as store:
        store.claim()
        secrets = Secrets.open(tmp_path)
        facts, definitions = Facts(records, secrets), Definitions(records, KINDS)
        workspace = facts.default_workspace().id
        project, other = (facts.add_project(name, workspace) for name in ("Shop", "Other"))
        indexer = Indexer(store.index, dict, lambda work: work())
        yield Kept(path, store, records, facts, definitions, Erasures(records, secrets), indexer, project, other)


def told(who: str) -> str:
    return msgspec.json.encode({"user": {"email": who, "first_name": "Ada-Only-Here"}}).decode()


def crowd(kept: Kept) -> None:
    """Ada with two devices, one of which Bob uses later, among a thousand others on forty days."""
    for day in range(40):
        kept.add(
            *(
                Event(name="open", user=f"user-{number}", org=f"org-{number % 7}", session=f"s-{day}-{number}", time=at)
                for number in range(25)
                for at in [NOW - day * DAY - number]
            ),
            Event(name="landed", anonymous=PHONE, time=NOW - day * DAY, path="/only/ada/was/here"),
            Event(name="open", user=ADA, anonymous=PHONE, time=NOW - day * DAY, traits=told(ADA), org="org-1"),
            Event(name="read", user=ADA, anonymous=TABLET, time=NOW - day * DAY, session=f"ada-session-{day}"),
        )
    kept.add(
        Event(name="open", user=BOB, anonymous=TABLET, time=NOW),
        Event(name="landed", anonymous=LAPTOP, time=NOW),
    )
    kept.add(Event(name="open", user=ADA, time=NOW), project=kept.other)
    kept.follow()


def define(kept: Kept, kind: str, **value: Any) -> None:
    read = kept.definitions.read(kind, msgspec.json.encode(value))
    kept.definitions.create(kept.project.id, kind, value=read, who="carl")


def defined(kept: Kept, kind: str) -> list[Any]:
    kept.definitions.refresh()
    return [each.value for each in kept.definitions.of(kept.project.id, kind)]


def trail(kept: Kept, kind: str) -> list[audit.Entry]:
    entries = map(audit.read, kept.records.records(audit.KIND))
    return [entry for entry in entries if entry.kind == kind]


def test_a_person_is_erased_with_all_that_names_them(kept: Kept) -> None:
    crowd(kept)
    place, notices = kept.project.id, Notices(kept.records)
    define(kept, "view", name="Hers", report="stream", query="user=ada.lovelace%40example.com")
    define(kept, "view", name="Page", report=f"people/{ADA}")
    define(kept, "view", name="All", report="stream", query="range=7d")
    notices.add("errors", [Notice(project=place, key=who, title=f"{who} was here", text="") for who in (ADA, BOB)], NOW)
    kept.add(Event(name="odd", user="other", time=NOW, path="/stays"))
    assert kept.found(ADA, PHONE, TABLET, "ada-session-7", "/only/ada/was/here", "Ada-Only-Here", BOB) != [BOB]
    shown = kept.erasures.ask(Subject(place, "person", PHONE), "carl@example.com")
    assert kept.erasures.ask(Subject(place, "person", PHONE), "carl@example.com") == shown  # asked for once
    kept.run()
    left = [(event.user, event.anonymous) for _, event in kept.store.read_after(0, 10_000, place)]
    assert len(left) == 40 * 25 + 3
    assert left[-3:] == [(BOB, None), (None, LAPTOP), ("other", None)]
    assert kept.store.read_after(0, 10_000, kept.other.id)[0][1].user == ADA  # another project's is somebody else
    [entry] = trail(kept, "person")
    assert (entry.who, entry.record, entry.action) == ("carl@example.com", shown, "delete")
    assert msgspec.json.decode(entry.value) == {"events": 120, "asked_at": msgspec.json.decode(entry.value)["asked_at"]}
    assert kept.erasures.waiting() == []
    assert [each.name for each in defined(kept, "view")] == ["All"]
    assert [each.queued.notice.key for each in notices.all()] == [BOB]
    changed = [entry for entry in trail(kept, "definition:view") if bytes(entry.value) == b"null"]
    assert [(entry.action, entry.who) for entry in changed] == [("create", "carl")] * 2
    assert kept.found(PHONE, TABLET, "ada-session-7", "/only/ada/was/here", "Ada-Only-Here") == []


def test_no_byte_is_left_of_who_was_in_one_project_only(kept: Kept) -> None:
    crowd(kept)
    for subject in (Subject(kept.project.id, "person", ADA), Subject(kept.other.id, "person", ADA)):
        kept.erasures.ask(subject, "carl")
    assert ADA not in "".join(record.data.decode() for record in kept.records.records(KIND))  # asking writes no name
    kept.run()
    assert kept.found(ADA, PHONE, TABLET, "ada.lovelace") == []
    assert kept.found(BOB, LAPTOP) == [BOB, LAPTOP]


def test_an_organization_is_erased_with_those_merged_into_it(kept: Kept) -> None:
    crowd(kept)
    define(kept, "organization", org="org-2", merged_into="org-1")
    define(kept, "organization", org="org-1", name="One")
    define(kept, "organization", org="org-3", name="Three")
    kept.erasures.ask(Subject(kept.project.id, "org", "org-2"), "carl")
    kept.run()
    left = {event.org for _, event in kept.store.read_after(0, 10_000, kept.project.id)}
    assert left == {None, *(f"org-{number}" for number in (0, 3, 4, 5, 6))}
    assert [each.org for each in defined(kept, "organization")] == ["org-3"]
    with merging(kept.store, kept.definitions).reader() as reader:
        actors = reader.actors(kept.project.id)
        assert {*reader.texts(actors.org_codes).values()} == left - {None}
        # Ada's events of other organizations, and none, stay.
        assert reader.ids(kept.project.id, "person", "ada", 10) == [ADA]
    assert kept.found("org-1", "org-2") == []


def test_erasing_goes_on_after_a_stop(kept: Kept) -> None:
    crowd(kept)
    kept.erasures.ask(Subject(kept.project.id, "person", ADA), "carl")
    for left in (1, 5, 9):
        calls = iter(range(left))
        kept.run(cancelled=lambda calls=calls: next(calls, None) is None)  # type: ignore[misc]
        assert len(kept.erasures.waiting()) == 1
    kept.run()
    assert kept.erasures.waiting() == []
    assert {event.user for _, event in kept.store.read_after(0, 10_000, kept.project.id)}.isdisjoint({ADA})
    assert kept.found(PHONE, TABLET) == []


def test_a_person_who_goes_on_while_they_are_erased(kept: Kept) -> None:
    crowd(kept)
    kept.erasures.ask(Subject(kept.project.id, "person", ADA), "carl")
    more = iter(range(30))

    def write(work: Callable[[], None]) -> None:
        if next(more, None) is not None:  # between the pieces
            kept.add(Event(name="again", user=ADA, anonymous=PHONE, time=NOW), Event(name="kept", user=BOB, time=NOW))
        work()

    kept.run(write=write)
    events = [event for _, event in kept.store.read_after(0, 10_000, kept.project.id)]
    assert [event for event in events if ADA in (event.user, event.anonymous)] == []
    assert sum(event.name == "kept" for event in events) == 30
    assert kept.found(PHONE) == []


def test_nobody_is_erased_who_is_not_known(kept: Kept) -> None:
    crowd(kept)
    before = len(kept.store.read_after(0, 10_000))
    kept.erasures.ask(Subject(kept.project.id, "person", "nobody-of-this-name"), "carl")
    kept.run()
    assert len(kept.store.read_after(0, 10_000)) == before
    assert [msgspec.json.decode(entry.value)["events"] for entry in trail(kept, "person")] == [0]
    with pytest.raises(NotFound):
        everything(kept.store, kept.project, "nobody-of-this-name", NOW)


def test_one_that_cannot_end_now_holds_up_no_other(kept: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    crowd(kept)
    for person in (ADA, BOB):
        kept.erasures.ask(Subject(kept.project.id, "person", person), "carl")
    sweep = SqliteStore.sweep

    def hindered(store: SqliteStore, project: str, ids: Sequence[str], *rest: Any) -> None:
        if ADA in ids:
            raise Unavailable("Reports kept reading what was erased; the next run goes on.")
        sweep(store, project, ids, *rest)

    with monkeypatch.context() as now:
        now.setattr(SqliteStore, "sweep", hindered)
        with pytest.raises(Unavailable, match="the next run goes on"):
            kept.run()
    assert [kept.erasures.subject(asked).id for _, asked in kept.erasures.waiting()] == [ADA]
    assert kept.found(BOB) == []
    kept.run()
    assert kept.erasures.waiting() == []


def test_everything_about_a_person(kept: Kept) -> None:
    crowd(kept)
    document = msgspec.json.decode(b"".join(everything(kept.store, kept.project, PHONE, NOW)))
    events = document.pop("events")
    assert document == {
        "project": "shop",
        "person": PHONE,
        "ids": sorted([ADA, PHONE, TABLET]),
        "exported_at": "2026-02-02T02:40:00.000Z",
        "traits": {"email": ADA, "first_name": "Ada-Only-Here"},
    }
    assert len(events) == 120
    assert [event["time"] for event in events] == sorted(event["time"] for event in events)
    assert events[-1] == {
        "id": events[-1]["id"],
        "sequence": 28,
        "time": "2026-02-02T02:40:00.000Z",
        "received_at": "2026-02-02T02:40:00.000Z",
        "name": "read",
        "type": "custom",
        "user": ADA,
        "anonymous": TABLET,
        "session": "ada-session-0",
        "environment": "production",
    }


def test_the_mark_tells_nothing_but_to_who_has_the_id() -> None:
    one, other = (mark(Subject(project, "person", ADA)) for project in ("a", "b"))
    assert one == mark(Subject("a", "person", ADA)) != other
    assert len(one) == 16
