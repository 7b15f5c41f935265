"""Actions of a report as forms: who sees them, and what each asks for."""

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import msgspec

from saastracker.annotations import ANNOTATION
from saastracker.contracts import ReportPage
from saastracker.definition import Definition
from saastracker.definitions import Definitions
from saastracker.erasable import Of
from saastracker.report import Action, Block, Report, Series, Table
from saastracker.views import VIEW
from saastracker.web.callers import Caller
from saastracker.web.forms.shapes import Shape, group, wording
from saastracker.web.forms.trees import ROOT, Tree, blank, typed
from saastracker.web.items import quoted
from saastracker.web.linking import Links
from saastracker.wire import Project


def edits(caller: Caller, project: Project) -> bool:
    """Whether the caller may change definitions here: only who is signed in has a token for forms."""
    return caller.signed is not None and caller.may(project, "member")


class Button(msgspec.Struct, frozen=True):
    """What an action's form holds."""

    action: Action
    value: str  # JSON; empty where the definition is deleted
    asks: Sequence[tuple[str, Shape, Tree]] = ()  # name of the field, shape and what is typed at first


def button(kinds: Mapping[str, Definition], action: Action) -> Button | None:
    """None of a kind that no plugin in use knows."""
    if action.kind not in kinds:
        return None
    if action.value is None:
        return Button(action, "")
    value: Mapping[str, Any] = msgspec.json.decode(msgspec.json.encode(action.value))
    fields = dict(group(kinds[action.kind]).fields) if action.asks else {}
    asks = [
        (f"{ROOT}.{name}", fields[name], typed(fields[name], value[name]) if name in value else blank(fields[name]))
        for name in action.asks
    ]
    return Button(action, msgspec.json.encode(value).decode(), asks)


def offered(  # noqa: PLR0917
    definitions: Definitions,
    caller: Caller,
    project: Project,
    page: ReportPage,
    item: str | None,
    loaded: Report,
    links: Links,
) -> dict[str, Any]:
    """What the page of a report has for those who may change definitions."""
    if not edits(caller, project):
        return {"actions": [], "defines": [], "save": None, "button": None}
    as_button = partial(button, definitions.kinds)
    shown = page.slug if item is None else f"{page.slug}/{item}"
    view = {"report": shown, "query": links.changed().removeprefix("?")}
    defines = list(_defines(definitions, project, page, item))
    if ANNOTATION.kind in definitions.kinds and any(isinstance(block, Series) for block in loaded.blocks):
        defines.append(("Annotate", f"/p/{project.slug}/define/{ANNOTATION.kind}/new"))
    if item is not None and page.detail_of is not None:
        defines += _whole(caller, project, page.detail_of, item)
    return {
        "actions": [one for one in map(as_button, loaded.actions) if one],
        "defines": defines,
        "save": as_button(Action(label="Save this view", kind=VIEW.kind, value=view, asks=("name",))),
        "button": as_button,
    }


def _defines(
    definitions: Definitions, project: Project, page: ReportPage, item: str | None
) -> Iterator[tuple[str, str]]:
    """Labels and addresses of the forms that belong to a report, or to one thing that it lists."""
    for name in page.defines:
        kind = definitions.kinds.get(name)
        if kind is None:
            continue
        address, there = f"/p/{project.slug}/define/{name}", definitions.of(project.id, name)
        one = wording(name).lower()
        if item is not None:
            if any(each.id == item for each in there):
                yield "Edit", f"{address}/{item}"
        elif kind.most == 1:
            yield f"Edit {one}", f"{address}/{there[0].id if there else 'new'}"
        else:
            if there:
                yield f"Edit {kind.title.lower()}", address
            if kind.by_hand:
                yield f"Define {'an' if one[0] in 'aeiou' else 'a'} {one}", f"{address}/new"


def _whole(caller: Caller, project: Project, of: Of, item: str) -> Iterator[tuple[str, str]]:
    """What can be done with all that is known of a person or an organization."""
    who = quoted(item)
    if of == "person":
        yield "Export", f"/p/{project.slug}/everything/{who}"
    if caller.may(project, "admin"):
        yield "Erase", f"/settings/projects/{project.slug}/erase/{of}/{who}"


def without_actions(report: Report) -> Report:
    """A report for those who may only read."""
    return Report(title=report.title, blocks=tuple(map(_plain, report.blocks)))


def _plain(block: Block) -> Block:
    if not isinstance(block, Table) or all(column.type != "action" for column in block.columns):
        return block
    kept = [place for place, column in enumerate(block.columns) if column.type != "action"]
    columns = tuple(block.columns[place] for place in kept)
    return msgspec.structs.replace(block, columns=columns, rows=[[row[place] for place in kept] for row in block.rows])
