"""The copy itself: events, all else, the index, and the hand-over."""

from collections.abc import Callable, Sequence
from functools import partial
from uuid import uuid4

import msgspec

from saastracker.contracts import Change, Record
from saastracker.copying import INSTALLATION, STATE, State, Sum, beside, comparing, read, unfinished
from saastracker.copying.side import Bar, Side
from saastracker.erasable import PIECE
from saastracker.errors import OperatorError, Unavailable
from saastracker.event import Event
from saastracker.records import now_ms

BATCH = 1000  # events put in one transaction; of the largest, each takes 64 KB
KEPT_PAGES = 100  # compared between two writes of how far it is
RECORDS_MAX = 1000  # put in one transaction
ERASED_IDS = 100  # of persons erased at once, that are looked for in all files; more are days no longer kept

HANDED_OVER = (
    "The database to copy from was handed over already: copy from the one that took over, or open it with "
    "--reopen first"
)
OPENED = "The database to copy from was opened amid the hand-over, with --reopen: type the command again"


class Copy:
    """One thread's; the target is claimed."""

    def __init__(self, source: Side, target: Side, bar: Bar) -> None:
        """Raises OperatorError for a target that is no copy of the source, and not empty either."""
        self._source = source
        self._target = target
        self._bar = bar
        self._change = -1  # of the source's records, when they were copied
        self.state = self._begin()
        if self.state.switched_at is not None and not self.state.opened:  # the hand-over was cut off just here
            self._open()

    @property
    def last(self) -> int:
        """The last event that was copied."""
        return self._target.store.last

    @property
    def source_closed(self) -> bool:
        return self._source.sealed

    @property
    def behind(self) -> int:
        """How many numbers were given out since."""
        return max(0, self._source.store.last - self.last)

    def up_to_now(self) -> None:
        """Copy what came, compare it, and have it indexed."""
        self._copy_records()
        self._begin_index()
        self._copy_events()
        self._compare()
        self._index()

    def beside(self) -> None:
        """Copy all that is not events."""
        self._copy_records()
        beside.copy_tallies(self._source.store, self._target.store)
        beside.copy_answers(self._source.store, self._target.store)

    def recount(self) -> None:
        """Whether both have the same events on each day; where something was erased, all are compared again."""
        until = self.last
        with self._bar("Counting") as show:
            show(0, None)
            mine, theirs = (comparing.counts(side.store, until) for side in (self._source, self._target))
        if mine != theirs:
            self._compare_all()
            self._index()

    def switch(self) -> None:
        """Hand over: close the source, copy the last of it, check all, and open the target.

        If something fails the source is open again.
        """
        self._check_not_handed_over()
        self.up_to_now()
        self.beside()
        self.recount()
        self._check_not_handed_over()  # by another copy meanwhile
        self._source.seal(True)
        try:
            self._set_closing(self._source.records.change())
            self._end()
            if self._source.records.change() != self.state.closing:
                raise OperatorError(OPENED)
        except BaseException:
            self._source.seal(False)
            self._set_closing(0)
            raise
        self.state.switched_at, self.state.until = now_ms(), self._source.store.last
        self._keep(self.state)
        self._open()

    def _check_not_handed_over(self) -> None:
        if self.source_closed and self.state.closing != self._source.records.change():
            raise OperatorError(HANDED_OVER)

    def _set_closing(self, change: int) -> None:
        self.state.closing = change
        self._keep(self.state)

    def _open(self) -> None:
        self._target.seal(False)
        self.state.opened = True
        self._keep(self.state)

    def _begin(self) -> State:
        records, store = self._target.records, self._target.store
        state, installation = read(records), self._installation()
        if state is not None and state.source != installation:
            raise OperatorError(
                "The database to copy to is a copy of another installation, or of this one before a backup was "
                "restored: name an empty one"
            )
        if state is not None and state.switched_at is not None:
            if not self.source_closed or self._source.store.last != state.until:
                raise OperatorError("The database to copy to was handed over to, it is no copy now: name an empty one")
            return state
        if state is None:
            if records.records() or store.last:
                raise OperatorError("The database to copy to has data of its own: name an empty one")
            self._target.seal(True)
            state = State(installation, now_ms())
        elif not (records.sealed and store.sealed):
            raise OperatorError("The database to copy to was opened before the copy was complete: name an empty one")
        self._keep(state)
        return state

    def _installation(self) -> str:
        records = self._source.records
        if unfinished(records):
            raise OperatorError("The database to copy from is itself a copy that is not complete; end that first")
        known = records.records(INSTALLATION)
        if not known:
            records.write([Change(INSTALLATION, str(uuid4()), 0, b"{}")])
            known = records.records(INSTALLATION)
        return known[0].id

    def _keep(self, state: State) -> None:
        self._put([Record(STATE, "state", 1, msgspec.json.encode(state))])

    def _put(self, records: Sequence[Record], gone: Sequence[Record] = ()) -> None:
        self._target.records.put_records(records, gone)

    def _copy_records(self) -> None:
        source, target = self._source.records, self._target.records
        change = source.change()
        if change == self._change:
            return
        put, gone = beside.differing(source, target)
        again = {*beside.projects(put)}
        for project in beside.projects(gone):
            if project not in again:
                with self._bar("Erasing a project") as show:
                    self._target.store.erase(project, _at_once, show)
                self.state.compared = Sum()
        for start in range(0, max(len(put), 1), RECORDS_MAX):
            self._put(put[start : start + RECORDS_MAX], gone if start == 0 else ())
        self._change = change

    def _copy_events(self) -> None:
        try:
            self._copy_pages()
        except (Unavailable, OperatorError):
            raise
        except Exception:
            # An event's id may have been free to come again, once the source had erased the first one.
            self._compare_all()
            self._copy_pages()

    def _copy_pages(self) -> None:
        source, target = self._source.store, self._target.store
        after, until = target.last, source.last
        if after >= until:
            return
        with self._bar("Copying") as show:
            while after < until and (events := source.read_after(after, BATCH)):
                after = events[-1][1].sequence
                target.put_events(events, after)
                show(after, until)

    def _compare(self) -> None:
        total, until, erased = self.state.compared, self.last, dict[str, set[str]]()
        if total.reached >= until and not self.state.erased:
            return
        pages = comparing.compare(self._source.store, self._target.store, total, until, partial(self._erase, erased))
        with self._bar("Comparing") as show:
            for page, _ in enumerate(pages, 1):
                show(total.reached, until)
                if page % KEPT_PAGES == 0:
                    self._keep(self.state)
        if self.state.erased:
            with self._bar("Erasing") as show:
                for project, ids in (erased or {"": set[str]()}).items():
                    few = sorted(ids) if len(ids) <= ERASED_IDS else []
                    self._target.store.sweep(project, few, _at_once, show)
            self.state.erased = False
        self._keep(self.state)

    def _compare_all(self) -> None:
        self.state.compared = Sum()
        self._compare()

    def _erase(
        self, erased: dict[str, set[str]], project: str, gone: Sequence[Event], nameless: Sequence[Event]
    ) -> None:
        if not self.state.erased:
            self.state.erased = True
            self._keep(self.state)
            self._target.indexer().reset()
        for start in range(0, max(len(gone), len(nameless)), PIECE):
            some = slice(start, start + PIECE)
            self._target.store.erase_events(
                project, [event.sequence for event in gone[some]], (), [event.sequence for event in nameless[some]]
            )
        ids = erased.setdefault(project, set())
        ids.update(name for event in gone for name in (event.user, event.anonymous) if name)
        ids.update(event.anonymous for event in nameless if event.anonymous)

    def _begin_index(self) -> None:
        """Persons and organizations first, so that they are numbered as in the source: so reports order equals."""
        if self._target.store.index.state().watermark == 0:
            self._target.indexer()
            self._carry()

    def _index(self) -> None:
        self._begin_index()
        indexer, index = self._target.indexer(), self._target.store.index
        # Which takes up what was defined meanwhile, and settles a day; the server settles what is left.
        if not any(indexer.step()):
            return
        with self._bar("Indexing") as show:
            while indexer.follow() or indexer.recompute() or indexer.back_fill():
                state = index.state()
                show(state.watermark, state.newest)

    def _end(self) -> None:
        """All that is still to be done once nothing comes any more."""
        source, target = self._source.store, self._target.store
        self._change = -1
        self.up_to_now()
        target.put_events([], source.last)
        self.recount()
        self._source.follow(self._bar)
        self._carry()
        self.beside()
        if any(beside.differing(self._source.records, self._target.records)):
            raise OperatorError("Records are not the same on both sides; type the command again")
        if beside.stored(source.tallies()) != target.tallies():
            raise OperatorError("What was counted is not the same on both sides; type the command again")

    def _carry(self) -> None:
        from saastracker.copying.remembered import carry, drop  # noqa: PLC0415  # numpy

        source, target, names = self._source.store, self._target.store, self._target.namespaces
        projects = beside.projects(self._source.records.records("project"))
        if not all(carry(source, target, project, names) for project in projects):
            self._target.indexer().reset()
            for project in projects:
                drop(source, target, project)
            self._index()


def _at_once(work: Callable[[], None]) -> None:
    work()
