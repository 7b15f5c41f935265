"""Rows of tables as HTML: a page has thousands of cells, and in a template each takes ten times as long."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, TypeAlias

import msgspec
from markupsafe import Markup, escape

from saastracker.report import Column, Table
from saastracker.web import formats
from saastracker.web.charts import marks
from saastracker.web.faces import iso, json_row
from saastracker.web.fitting import Fit
from saastracker.web.linking import Links
from saastracker.web.naming import Names, called
from saastracker.web.numbers import MISSING, exact

LONG = 16  # characters; longer texts may be cut, so their title holds all of it
TEXT_MAX = 1000  # characters in a column: properties may be of 32 kB, and there are a hundred rows

Draw: TypeAlias = Callable[[Mapping[str, Any]], str]  # HTML of a cell, from the values of its row
Kind: TypeAlias = tuple[Callable[[Any], str], str]  # HTML of a value, and of none


class Look(NamedTuple):
    """What a page gives its rows beside their values."""

    links: Links
    timezone: str
    now: int
    year: int  # in which dates are told without it
    live: bool  # rows that come in by themselves: cells carry `data-key`, so that live.js can fill a copy of one
    names: Names
    status: Callable[[str], Markup]
    change: Callable[..., Markup]
    action: Callable[[Any], Markup]
    icon: Callable[[str], Markup]


class Rows:
    """Draws the rows of one table; without values the empty row that live.js fills."""

    def __init__(self, table: Table, shown: Sequence[Column], title: Column, fitted: Fit, look: Look) -> None:
        self._columns, self._look = table.columns, look
        self._keys = [column.key for column in table.columns]
        self._opened = [column for column in table.columns if column.place == "opened"]
        self._json = look.live or any(column.type == "json" for column in self._opened)
        self._draws = [
            self._framed(column, column is title, place == 0, fitted, _ranked(table, shown))
            for place, column in enumerate(shown)
        ]
        self._pairs = [
            (
                f"<dt>{escape(column.label)}</dt><dd{_classes('mono' if column.type == 'code' else '')}>",
                self._cell(column),
            )
            for column in self._opened
            if column.type != "json"
        ]
        self._width = len(shown)

    def __call__(self, cells: list[Any] | None) -> Markup:
        at = dict(zip(self._keys, cells, strict=True)) if cells is not None else {}
        parts = ['<tr role="row">\n', *(draw(at) for draw in self._draws), "</tr>\n"]
        if self._opened:
            parts += self._detail(cells, at)
        return Markup("".join(parts))  # noqa: S704  # each part escapes its values

    def _detail(self, cells: list[Any] | None, at: Mapping[str, Any]) -> list[str]:
        plain = "" if self._json else " plain"
        parts = [
            f'<tr role="row" class="detail"><td role="cell" colspan="{self._width}"><div class="event{plain}">\n',
            '<dl class="pairs">\n',
            *(f"{begin}{draw(at)}</dd>\n" for begin, draw in self._pairs),
            "</dl>\n",
        ]
        if self._json:
            text = formats.json_markup(json_row(cells, self._columns)) if cells is not None else ""
            parts.append(
                f'<div class="code"><button class="btn" type="button" data-copy hidden>{self._look.icon("copy")}Copy'
                f'</button><pre tabindex="0" aria-label="Row as JSON" data-json>{text}</pre></div>'
            )
        return [*parts, "\n</div></td></tr>\n"]

    # --- A cell with its frame ---

    def _framed(
        self, column: Column, is_title: bool, first: bool, fitted: Fit, ranked: tuple[str, float] | None
    ) -> Draw:
        live = self._look.live
        timed = column.type == "time" and (first or live)
        fill = "fill" if column.key == fitted.fill and not live else ""
        inner = self._cell(column, timed=timed)
        opens = bool(first and self._opened)
        if is_title:
            begin = f'<th role="rowheader" scope="row"{_classes("title", fill)}>'
            end = "</th>\n"
            if opens:
                begin, end = f'{begin}<div class="named">{self._opener("Open this row")}', f"</div>{end}"
            return _in_rank(begin, inner, end, ranked)
        classes = _cell_classes(column, first, timed, fill, fold(column, fitted, live), live)
        begin = f'<td role="cell"{_label(column, first and timed)}{classes}>'
        if opens:
            opener = self._opener("Open ").removesuffix("</summary></details>")
            begin, end = f"{begin}{opener}", "</summary></details></td>\n"
        else:
            end = "</td>\n"
        return lambda at: f"{begin}{inner(at)}{end}"

    def _opener(self, told: str) -> str:
        icon = self._look.icon("right")
        return (
            f'<details class="opener"><summary class="nowrap">{icon}<span class="sr">{told}</span></summary></details>'
        )

    # --- What a cell holds ---

    def _cell(self, column: Column, *, timed: bool = False) -> Draw:
        value, key = self._value(column, timed), column.key
        to = self._look.links.row_link(column.link) if column.link else None
        only = self._look.links.row_filter(column.dimension) if column.dimension else None
        if to is None and only is None:
            return value
        icon = self._look.icon("filter")

        def linked(at: Mapping[str, Any]) -> str:
            address = to(at) if to and at else None
            filtered = only(at[key]) if only and at else None
            told = escape(f"Only {at[key]}") if filtered else ""
            if address:
                text = f'<a href="{escape(address)}">{value(at)}</a>'
                if filtered:
                    text += f'\n<a class="only" href="{escape(filtered)}" aria-label="{told}" title="{told}">{icon}</a>'
                return text
            return f'<a class="by" href="{escape(filtered)}" title="{told}">{value(at)}</a>' if filtered else value(at)

        return linked

    def _value(self, column: Column, timed: bool) -> Draw:
        key, otherwise, called, units = column.key, column.otherwise, column.called, column.units
        draw, missing = self._special(column, timed) or self._plain(column)
        slot = self._slot(column)

        def cell(at: Mapping[str, Any]) -> str:
            value = at.get(key)
            if value is None and otherwise:
                value = at.get(otherwise)
            if value is not None and units:
                return _span(slot, exact(value, units[1][at[units[0]]]))
            if value is not None and called and at.get(called):
                return _span(f'{slot} title="{escape(value)}"', escape(at[called]))
            return missing if value is None else draw(value)

        return cell

    def _special(self, column: Column, timed: bool) -> Kind | None:  # noqa: PLR0911  # one for each
        """How a value is drawn that is not just told, and what stands where there is none."""
        look, slot, label, unit = self._look, self._slot(column), column.label, column.unit
        match column.type:
            case "time":
                return lambda ms: self._time(ms, slot, timed), f"<time{slot}>{MISSING}</time>"
            case "date":
                return (
                    lambda day: f'<time class="nowrap" datetime="{day}">{formats.day(day, look.year)}</time>',
                    MISSING,
                )
            case "spark":
                return lambda numbers: marks.sparkline(numbers, label) if numbers else "", ""
            case "action":
                return lambda action: str(look.action(action)) if action else "", ""
        match column.look:
            case "status":
                return lambda word: str(look.status(word)), _span(slot, MISSING)
            case "ratio":
                return lambda share: f'<span class="ratio">{marks.ratio_bar(share)}{exact(share, unit)}</span>', _span(
                    slot, MISSING
                )
            case "change":
                return lambda moved: str(look.change(moved, unit, column.good)), _span(slot, MISSING)
        return None

    def _plain(self, column: Column) -> Kind:
        slot, unit = self._slot(column), column.unit
        if column.type == "number":
            return lambda number: _span(slot, exact(number, unit)), _span(slot, MISSING)
        names = called(column, self._look.names)
        tag = "tag" if column.type == "tag" else ""

        def text(value: Any) -> str:
            shown = wording(value) if tag else _unquoted(value) if column.type == "json" else names.get(value, value)
            if isinstance(shown, str) and len(shown) > TEXT_MAX and column.place != "opened":
                shown = value = f"{shown[: TEXT_MAX - 1]}…"
            mark = "risk" if value in {"error", "high"} else "accent" if value == "identify" else ""
            cut = isinstance(value, str) and (LONG < len(value) <= TEXT_MAX or shown != value)
            title = f' title="{escape(value)}"' if cut else ""
            return _span(f"{slot}{_classes(tag, mark)}{title}", escape(shown))

        return text, _span(slot, MISSING)

    def _time(self, ms: int, slot: str, timed: bool) -> str:
        look, at = self._look, iso(ms)
        told = (formats.moment if timed else formats.when)(ms, look.timezone, look.now)
        return f'<time{slot} datetime="{at}" title="{at}">{told}</time>'

    def _slot(self, column: Column) -> str:
        if not self._look.live:
            return ""
        pairs = {"key": column.key, "type": column.type, "otherwise": column.otherwise, "dimension": column.dimension}
        return "".join(f' data-{name}="{escape(value)}"' for name, value in pairs.items() if value)


def _span(attributes: str, content: str) -> str:
    return f"<span{attributes}>{content}</span>"


def wording(word: str) -> str:
    """A tag as people write it: health_drop becomes Health drop."""
    return word[:1].upper() + word[1:].replace("_", " ")


def _unquoted(json: str) -> str:
    """JSON for people: a text without its quotes."""
    value = msgspec.json.decode(json)
    return value if isinstance(value, str) else json


def is_number(column: Column, first: bool, live: bool) -> bool:
    """Whether a column stands on the right."""
    return not first and (column.type in {"number", "spark", "date", "action"} or (column.type == "time" and not live))


def fold(column: Column, fitted: Fit, live: bool) -> str:
    """The class of a column that may leave; those of a live table keep their widths."""
    return "opt" if live and column.place == "wide" else fitted.folds.get(column.key, "")


def _ranked(table: Table, shown: Sequence[Column]) -> tuple[str, float] | None:
    """The column that bars are drawn for, and its largest number."""
    key = next((column.key for column in shown if column.look == "rank"), None)
    if key is None:
        return None
    place = [column.key for column in table.columns].index(key)
    return key, max((row[place] for row in table.rows if row[place] is not None), default=0) or 1


def _in_rank(begin: str, inner: Draw, end: str, ranked: tuple[str, float] | None) -> Draw:
    def drawn(at: Mapping[str, Any]) -> str:
        number = at.get(ranked[0]) if ranked else None
        if ranked is None or number is None:
            return f"{begin}{inner(at)}{end}"
        return f'{begin}<span class="rank">{marks.rank_bar(number / ranked[1])}{inner(at)}</span>{end}'

    return drawn


def _label(column: Column, alone: bool) -> str:
    return "" if alone else f' data-label="{"" if column.type == "action" else escape(column.label)}"'


def _cell_classes(column: Column, first: bool, timed: bool, fill: str, folds: str, live: bool) -> str:  # noqa: PLR0917
    words = column.type in {"code", "text"}
    return _classes(
        "top mono nowrap faint" if first and timed else "",
        "mono" if column.type == "code" else "",
        "num" if is_number(column, first, live) else "",
        fill,
        ("id" if first else "text") if words and not fill else "",
        "wide" if words or column.type == "json" or column.look == "ratio" else "",
        folds,
        "hide" if column.place == "wide" or column.type == "spark" else "",
        "act" if column.type == "action" else "",
    )


def _classes(*names: str) -> str:
    given = " ".join(name for name in names if name)
    return f' class="{given}"' if given else ""
