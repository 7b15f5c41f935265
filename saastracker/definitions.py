"""Definitions: the settings of projects, of every kind that plugins define, as versioned records with a live view."""

import logging
import secrets
import threading
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from saastracker import audit
from saastracker.contracts import Change, RecordStore
from saastracker.decoding import decode
from saastracker.definition import ADDED, Defined, Definition
from saastracker.errors import Conflict, NotFound, Stale
from saastracker.records import now_ms

log = logging.getLogger("saastracker.definitions")


class _Nothing:
    def of(self, project: str, kind: str) -> tuple[Defined, ...]:  # noqa: ARG002
        return ()


NOTHING_DEFINED = _Nothing()  # where plugins are only looked at


class _Kept(msgspec.Struct, frozen=True):
    """A definition as its record keeps it."""

    project: str  # id
    created_at: int
    updated_at: int
    value: msgspec.Raw
    before: int = 0  # versions it had in an earlier life: its record began anew when it was restored


class Definitions:
    """The newest definitions, and every edit of them. Implements `definition.Definitions`; safe from several threads.

    Each edit is one write with its entry in the audit trail. `who` is the name of the caller's token,
    a project is named by its id, a value is what `read` gave.
    """

    def __init__(self, store: RecordStore, kinds: Mapping[str, Definition]) -> None:
        self.kinds = kinds
        self._store = store
        self._lock = threading.Lock()
        self._turn = threading.Lock()  # one edit at a time: what was checked still holds when it is written
        self._change = -1
        self._unread: set[str] = set()  # ids the log has told of
        self._defined: Mapping[tuple[str, str], tuple[Defined, ...]] = {}  # by project and kind
        self._before: Mapping[str, int] = {}  # by id, of those that were restored
        self._readers = {kind: msgspec.json.Decoder(definition.struct) for kind, definition in kinds.items()}
        self.refresh()

    def of(self, project: str, kind: str) -> tuple[Defined, ...]:
        return self._defined.get((project, kind), ())

    def find(self, project: str, kind: str, definition: str) -> Defined:
        """Raises NotFound."""
        for defined in self.of(project, kind):
            if defined.id == definition:
                return defined
        raise NotFound(f"This project has no {kind} {definition[:64]}.")

    def refresh(self) -> None:
        """Look for writes by anyone."""
        with self._lock:
            change = self._store.change()
            if change == self._change:
                return
            defined: dict[tuple[str, str], list[Defined]] = {}
            before: dict[str, int] = {}
            for kind in self.kinds:
                for kept, one in self._read_kind(kind):
                    defined.setdefault((kept.project, kind), []).append(one)
                    if kept.before:
                        before[one.id] = kept.before
            self._defined = {place: tuple(sorted(found, key=_id)) for place, found in defined.items()}
            self._before, self._change = before, change

    def _read_kind(self, kind: str) -> Iterator[tuple[_Kept, Defined]]:
        for record in self._store.records(_record_kind(kind)):
            kept = _kept.decode(record.data)
            try:
                value = self._readers[kind].decode(kept.value)
            except msgspec.ValidationError as error:
                if record.id not in self._unread:
                    log.error("The %s %s is left out, its plugin no longer reads it: %s", kind, record.id, error)
                self._unread.add(record.id)
                continue
            yield (
                kept,
                Defined(
                    id=record.id,
                    version=kept.before + record.version,
                    value=value,
                    created_at=kept.created_at,
                    updated_at=kept.updated_at,
                ),
            )

    def read(self, kind: str, body: bytes) -> Any:
        """A value of a kind from JSON, checked. Raises NotFound for an unknown kind, Invalid naming the field.

        What the API adds to an answer is passed over, so that an answer can be sent back.
        """
        if kind not in self.kinds:
            raise NotFound(f"There is no kind of definition {kind[:64]}; there are {', '.join(self.kinds) or 'none'}.")
        fields = decode(_fields, body)
        own = {name: value for name, value in fields.items() if name not in ADDED}
        value = decode(self._readers[kind], msgspec.json.encode(own))
        check = self.kinds[kind].check
        if check is not None:
            check(value)
        return value

    # --- Edits ---

    def create(self, project: str, kind: str, *, value: Any, who: str) -> Defined:
        """Raises Conflict if the project has too many, Invalid if it does not go with the others."""
        now = now_ms()
        new = Defined(id=_new_id(now), version=1, value=value, created_at=now, updated_at=now)
        with self._turn:
            self._check_one_more(project, kind, value)
            try:
                self._write(project, kind, new, seen=0, action="create", who=who)
            except Stale:  # of a kind of which there is one: another process was faster
                raise self._too_many(kind) from None
        return new

    def restore(self, project: str, kind: str, definition: str, *, value: Any, who: str) -> Defined:
        """A deleted one again, under its id and with the version after its last.

        Raises as `create`, NotFound if there never was one, Stale if there is one again.
        """
        history = self.history(project, kind, definition)
        last = history[-1].version
        new = Defined(id=definition, version=last + 1, value=value, created_at=history[0].at, updated_at=now_ms())
        with self._turn:
            self._check_one_more(project, kind, value)
            self._write(project, kind, new, seen=last, action="create", who=who, before=last)
        return new

    def replace(self, project: str, kind: str, definition: str, *, version: int, value: Any, who: str) -> Defined:
        """Raises NotFound, Stale unless `version` is the newest, Invalid if it does not go with the others."""
        with self._turn:
            self.refresh()
            old = self.find(project, kind, definition)
            self._check_among(project, kind, definition, value)
            new = msgspec.structs.replace(old, version=version + 1, value=value, updated_at=now_ms())
            self._write(project, kind, new, seen=version, action="change", who=who)
        return new

    def delete(self, project: str, kind: str, definition: str, *, version: int | None, who: str) -> None:
        """Raises NotFound, or Stale unless `version` is the newest or None."""
        self.refresh()
        old = self.find(project, kind, definition)
        gone = msgspec.structs.replace(old, value=None, updated_at=now_ms())
        self._write(project, kind, gone, seen=version or old.version, action="delete", who=who)

    def history(self, project: str, kind: str, definition: str) -> list[audit.Entry]:
        """Every version that a definition, even a deleted one, ever had, oldest first. Raises NotFound."""
        found = audit.entries(self._store, project, _record_kind(kind), definition)
        if not found:
            raise NotFound(f"This project never had a {kind} {definition[:64]}.")
        return found

    def _check_one_more(self, project: str, kind: str, value: Any) -> None:
        self.refresh()
        self._check_among(project, kind, "", value)
        if len(self.of(project, kind)) >= self.kinds[kind].most:
            raise self._too_many(kind)

    def _too_many(self, kind: str) -> Conflict:
        most = self.kinds[kind].most
        return Conflict(f"A project has at most {most} of the kind {kind}; change or delete one of those there are.")

    def _check_among(self, project: str, kind: str, definition: str, value: Any) -> None:
        check = self.kinds[kind].check_among
        if check is not None:
            check(value, [each.value for each in self.of(project, kind) if each.id != definition])

    def _write(
        self,
        project: str,
        kind: str,
        new: Defined,
        *,
        seen: int,
        action: audit.Action,
        who: str,
        before: int | None = None,
    ) -> None:
        before = self._before.get(new.id, 0) if before is None else before
        value = msgspec.Raw(msgspec.json.encode(new.value))
        kept = _Kept(project, new.created_at, new.updated_at, value, before)
        data = None if action == "delete" else msgspec.json.encode(kept)
        entry = audit.Entry(
            at=new.updated_at,
            who=who,
            project=project,
            action=action,
            kind=_record_kind(kind),
            record=new.id,
            version=new.version,
            value=value,
        )
        unique = project if self.kinds[kind].most == 1 else None  # the store lets no two processes make one at once
        change = Change(_record_kind(kind), new.id, seen - before, data, unique)
        try:
            self._store.write([change, audit.record(entry)])
        except Conflict:
            raise Stale(f"This {kind} was changed since version {seen}; load it again.") from None
        finally:
            self.refresh()


def _record_kind(kind: str) -> str:
    return f"definition:{kind}"


def _new_id(now: int) -> str:
    """Ids sort by age, so that a list goes on after any of them."""
    return f"{now:012x}{secrets.token_hex(4)}"


def _id(defined: Defined) -> str:
    return defined.id


_kept = msgspec.json.Decoder(_Kept)
_fields = msgspec.json.Decoder(dict[str, msgspec.Raw])
