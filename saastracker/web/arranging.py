"""How the tables of a report are arranged: searched, sorted and cut into pages. Not part of the scope."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any
from urllib.parse import parse_qsl, urlencode

import msgspec

from saastracker.errors import Invalid
from saastracker.late import Late
from saastracker.report import Block, Column, Grid, Report, Table
from saastracker.scope import Scope
from saastracker.web.naming import NO_NAMES, Names, called, names_people

PARAMETERS = ("block", "sort", "search")
# What the form for any filter sends: one `f` in three fields, which a form without script cannot join.
FILTER_FIELDS = ("filter.dimension", "filter.operator", "filter.value")
SEARCH_MAX = 255


class Arrangement(msgspec.Struct, frozen=True):
    """What the query string says beside the scope; it concerns one block, else the main table."""

    block: str | None = None
    sort: str | None = None  # a column's key, with `-` before it for the largest first
    search: str = ""

    @property
    def query(self) -> str:
        """The query string that asks for this arrangement."""
        return urlencode({name: getattr(self, name) for name in PARAMETERS if getattr(self, name)})

    def sorted_by(self, column: Column, block: str) -> "Arrangement":
        """The arrangement behind a column's head: numbers and times begin with the largest; once more turns round."""
        falling = column.type in {"number", "time", "date"}
        first, second = (f"-{column.key}", column.key) if falling else (column.key, f"-{column.key}")
        sort = second if self.sort == first and self.block in {None, block} else first
        return Arrangement(block, sort, self.search if self.block in {None, block} else "")


def split(query: str) -> tuple[str, Arrangement]:
    """A query string as the part that the scope is made of, and the arrangement. Raises Invalid."""
    if not any(f"{name}=" in query for name in (*PARAMETERS, *FILTER_FIELDS)):
        return query, Arrangement()
    try:
        every = parse_qsl(query, max_num_fields=100, keep_blank_values=True)
    except ValueError:  # too many, which `Scope.parse` refuses
        return query, Arrangement()
    pairs = [pair for pair in every if pair[1]]
    own = {name: value for name, value in pairs if name in PARAMETERS}
    if len(own.get("search", "")) > SEARCH_MAX:
        raise Invalid(f"search: at most {SEARCH_MAX} characters")
    rest = [pair for pair in every if pair[0] not in PARAMETERS and pair[0] not in FILTER_FIELDS]
    fields = dict(pairs)  # without those left blank
    if "filter.dimension" in fields:
        rest.append(("f", ":".join(fields[name] for name in FILTER_FIELDS if name in fields)))
    return urlencode(rest), Arrangement(**own)


def chosen(report: Report, key: str | None) -> Block:
    """The block with this key, else the main one: the first table, else the first block. Raises Invalid."""
    if key is None:
        return next(iter(report.tables), report.blocks[0])
    for block in report.blocks:
        if block.key == key:
            return block
    raise Invalid(f"block: expected one of {', '.join(block.key for block in report.blocks)}")


def arranged(
    report: Report,
    arrangement: Arrangement,
    scope: Scope,
    names: Names = NO_NAMES,
    *,
    others: int | None = None,
) -> Report:
    """The report with its whole tables searched, sorted and cut to the scope's limit. Raises Invalid.

    Organizations and people are found and sorted by their `names`, countries by theirs, too.
    With `others`, tables that share the page with more are cut to so many rows, unless the arrangement names them.
    """
    subject = chosen(report, arrangement.block)
    if (arrangement.sort or arrangement.search) and not (isinstance(subject, Table) and subject.whole):
        raise Invalid("sort, search: only for tables that the report holds in whole")

    alone = sum(isinstance(block, Table) or _is_hours(block) for block in report.blocks) == 1

    def arrange(block: Block) -> Block:
        if not isinstance(block, Table):
            return block
        if not block.whole:  # a page already
            return msgspec.structs.replace(block, rows=block.rows[:])
        named = block is subject and (arrangement.block is not None or alone)
        limit = scope.limit if named or others is None else min(others, scope.limit)
        if block is not subject:
            return _page(block, 0, limit)
        return _page(
            _sorted(_found(block, arrangement.search, names), arrangement.sort, names), scope.after or 0, limit
        )

    return msgspec.structs.replace(report, blocks=tuple(map(arrange, report.blocks)))


def by_people(report: Report, arrangement: Arrangement) -> Report:
    """What of a report is searched or sorted by the names of people, who are too many to be named for nothing."""
    subject, key = chosen(report, arrangement.block), (arrangement.sort or "").removeprefix("-")
    if not isinstance(subject, Table):
        return Report(blocks=())
    named = any(names_people(column) and column.key == key for column in subject.columns)
    return Report(blocks=(subject,) if arrangement.search or named else ())


def _is_hours(block: Block) -> bool:
    return isinstance(block, Grid) and block.kind == "hours"


def _page(table: Table, start: int, limit: int) -> Table:
    total = len(table.rows) if table.total is None else table.total
    end = start + limit
    more = end if end < len(table.rows) else None
    return msgspec.structs.replace(table, rows=table.rows[start:end], total=total, next=more)


def _found(table: Table, search: str, names: Names) -> Table:
    if not search:
        return table
    wanted = search.casefold()
    places = [place for place, column in enumerate(table.columns) if column.type in {"text", "code", "tag"}]
    named = [(place, called(table.columns[place], names)) for place in places]

    def matches(row: Sequence[Any]) -> bool:
        texts = [*(row[place] for place in places), *(known.get(row[place]) for place, known in named)]
        return any(wanted in str(text or "").casefold() for text in texts)

    rows = [row for row in table.rows if matches(row)]
    return msgspec.structs.replace(table, rows=rows, total=None)


def _sorted(table: Table, sort: str | None, names: Names) -> Table:
    if sort is None:
        return table
    place = next((place for place, column in enumerate(table.columns) if column.key == sort.removeprefix("-")), None)
    if place is None or not sortable(table.columns[place]):
        raise Invalid(f"sort: expected one of {', '.join(column.key for column in table.columns if sortable(column))}")
    if isinstance(table.rows, Late):
        late = table.rows.ordered(table.columns[place].key, falling=sort[0] == "-")
        if late is not None:
            return msgspec.structs.replace(table, rows=late)
    own, rows = called(table.columns[place], names), list(table.rows)
    known = [row for row in rows if row[place] is not None]
    known.sort(key=_key(place, own), reverse=sort[0] == "-")
    unknown = [row for row in rows if row[place] is None]  # last either way
    return msgspec.structs.replace(table, rows=known + unknown)


def sortable(column: Column) -> bool:
    """Whether rows have an order by this column."""
    return column.type != "json" and not column.drawn


def _key(place: int, names: Mapping[str, str]) -> Callable[[Sequence[Any]], Any]:
    def key(row: Sequence[Any]) -> Any:
        value = row[place]
        return names.get(value, value).casefold() if isinstance(value, str) else value

    return key
