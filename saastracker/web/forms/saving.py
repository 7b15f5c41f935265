"""What the forms of definitions and the actions of reports do: save, preview, delete, restore, add and remove rows."""

import asyncio
from typing import Any

import msgspec
from litestar import Response, post
from litestar.params import FromPath

from saastracker.contracts import ReportPage
from saastracker.definition import Defined
from saastracker.errors import Conflict, Invalid, NotFound, Stale, TimeLimit
from saastracker.records import now_ms
from saastracker.report import Report
from saastracker.scope import Scope
from saastracker.web.answers import redirect
from saastracker.web.arranging import Arrangement, arranged, chosen
from saastracker.web.forms.actions import without_actions
from saastracker.web.forms.asked import Asked, asked
from saastracker.web.forms.looking import form, past
from saastracker.web.forms.telling import misplaced
from saastracker.web.forms.trees import ROOT, Tree, edit, gathered, plain, typed
from saastracker.web.layout import layout
from saastracker.web.linking import Links
from saastracker.web.login import read_form
from saastracker.web.naming import Names, Naming
from saastracker.web.site import WebRequest

FORM_MAX = 64 * 1024  # bytes
FIELDS_MAX = 4000
PREVIEW_ROWS = 50  # of each table


@post("/p/{slug:str}/define/{kind:str}/new")
async def create(request: WebRequest, slug: FromPath[str], kind: FromPath[str]) -> Response[bytes]:
    """What a new definition's form sends."""
    about = asked(request, slug, kind, writes=True)
    sent = await read_form(request, about.site, size=FORM_MAX, most=FIELDS_MAX)
    return await _do(about, sent, None)


@post("/p/{slug:str}/define/{kind:str}/{definition:str}")
async def change(
    request: WebRequest, slug: FromPath[str], kind: FromPath[str], definition: FromPath[str]
) -> Response[bytes]:
    """What the form of one sends, or its list of versions; of a deleted one, that list."""
    about = asked(request, slug, kind, writes=True)
    sent = await read_form(request, about.site, size=FORM_MAX, most=FIELDS_MAX)
    do, found = sent.get("do", "save"), about.find(definition)
    if do == "delete":
        return await _delete(about, definition, _version(sent))
    if do == "restore":
        return await _restore(about, definition, found, _version(sent))
    if found is None:
        gone = f"This {about.kind.kind} was deleted meanwhile. Saving makes it again."
        tree, onward = gathered(about.shape, sent), about.onward(sent.get("next", ""))
        return await form(about, None, tree, onward=onward, status=412, wrong=(ROOT, gone))
    return await _do(about, sent, found)


@post("/p/{slug:str}/define/{kind:str}")
async def act(request: WebRequest, slug: FromPath[str], kind: FromPath[str]) -> Response[bytes]:
    """An `Action`: its value with the fields people filled in, in place of the definition `id` if it names one."""
    about = asked(request, slug, kind, writes=True)
    sent = await read_form(request, about.site, size=FORM_MAX, most=FIELDS_MAX)
    definition, text = sent.get("id", ""), sent.get("value", "")
    found = about.find(definition)
    if definition and found is None:
        raise NotFound(f"This project has no {about.kind.kind} {definition[:64]}.")
    if not text:
        await asyncio.to_thread(
            about.site.definitions.delete,
            about.project.id,
            about.kind.kind,
            definition,
            version=_version(sent),
            who=about.caller.name,
        )
        return redirect(about.onward(sent.get("next", "")))
    try:
        tree = typed(about.shape, msgspec.json.decode(text, type=dict[str, Any]))
    except (msgspec.DecodeError, RecursionError, StopIteration, TypeError, AttributeError, KeyError):
        raise Invalid("This button is from an earlier version of the page. Load the page again.") from None
    filled = gathered(about.shape, sent)
    tree |= {name: filled[name] for name, _ in about.shape.fields if f"{ROOT}.{name}" in sent}
    return await _do(about, {**sent, "do": "save"}, found, tree)


async def _do(about: Asked, sent: dict[str, str], found: Defined | None, tree: Tree = None) -> Response[bytes]:
    tree = gathered(about.shape, sent) if tree is None else tree
    do, onward = sent.get("do", "save"), sent.get("next", "")
    if do not in {"save", "preview"}:
        if not (_own_address(about, tree, do) or edit(about.shape, tree, do)):
            raise Invalid("This form does not know what to do. Load the page again.")
        return await form(about, _seen(found, sent), tree, onward=onward)
    try:
        body = msgspec.json.encode(plain(about.shape, tree))
        value = about.site.definitions.read(about.kind.kind, body)
        if do == "preview":
            shown = await asyncio.to_thread(_preview, about, found, value)
            return await form(about, _seen(found, sent), tree, onward=onward, preview=shown)
        await asyncio.to_thread(_save, about, found, value, _version(sent))
    except Stale:
        return await _both(about, sent, tree)
    except (Invalid, Conflict, TimeLimit) as refusal:
        wrong = misplaced(about.shape, tree, refusal.detail)
        return await form(about, _seen(found, sent), tree, onward=onward, status=refusal.status, wrong=wrong)
    return redirect(about.onward(onward))


def _own_address(about: Asked, tree: Tree, do: str) -> bool:
    """Carry out `here $.addresses`, one more line with where the caller is; False for what cannot be."""
    name = do.removeprefix(f"here {ROOT}.")
    shape = dict(about.shape.fields).get(name)
    if shape is None or shape.format != "client-address" or not isinstance(tree[name], str):
        return False
    lines, own = tree[name].splitlines(), about.site.address(about.request)
    tree[name] = "\n".join([*lines, *({own} - {*lines, ""})])
    return True


def _seen(found: Defined | None, sent: dict[str, str]) -> Defined | None:
    """A definition in the version that the form was made for."""
    return found and msgspec.structs.replace(found, version=_version(sent))


def _save(about: Asked, found: Defined | None, value: Any, version: int) -> None:
    definitions, place, who = about.site.definitions, (about.project.id, about.kind.kind), about.caller.name
    if found is None:
        definitions.create(*place, value=value, who=who)
    else:
        definitions.replace(*place, found.id, version=version, value=value, who=who)


async def _both(about: Asked, sent: dict[str, str], tree: Tree) -> Response[bytes]:
    """The form as typed, beside what was saved meanwhile; saving it again replaces that."""
    found = about.find(sent.get("id", "")) or about.find(about.request.path_params.get("definition", ""))
    if found is None:
        raise NotFound(f"This {about.kind.kind} was deleted meanwhile.")
    stale = about.told(found.value)
    return await form(about, found, tree, onward=sent.get("next", ""), status=412, stale=stale)


async def _delete(about: Asked, definition: str, version: int) -> Response[bytes]:
    """To the page from which it can be made again."""
    place = (about.project.id, about.kind.kind, definition)
    try:
        await asyncio.to_thread(about.site.definitions.delete, *place, version=version, who=about.caller.name)
    except Stale:
        found = about.find(definition)
        if found is None:
            raise
        said = (ROOT, "It was changed meanwhile, as you see it now. Delete it again if you still mean to.")
        return await form(about, found, about.tree(found.value), onward="", status=412, wrong=said)
    return redirect(f"{about.address}/{definition}")


async def _restore(about: Asked, definition: str, found: Defined | None, version: int) -> Response[bytes]:
    """An earlier version again, as the newest one; what was deleted comes back under its id."""
    place = (about.project.id, about.kind.kind)
    entries = await asyncio.to_thread(about.site.definitions.history, *place, definition)
    value = next((past(about, entry) for entry in entries if entry.version == version), None)
    if value is None:
        raise NotFound(f"There is no version {version} of this {about.kind.kind} to go back to.")
    if found is not None:
        await asyncio.to_thread(_save, about, found, value, found.version)
    else:
        restore = about.site.definitions.restore
        await asyncio.to_thread(restore, *place, definition, value=value, who=about.caller.name)
    return redirect(f"{about.address}/{definition}")


def _version(sent: dict[str, str]) -> int:
    """Raises Invalid."""
    text = sent.get("version", "")
    if not text:
        return 0
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise Invalid("version: Expected a number")
    return int(text)


# --- Preview ---


def _preview(about: Asked, found: Defined | None, value: Any) -> dict[str, Any] | None:
    """What the blocks of a report's page need; None where the kind has no preview."""
    load, project = about.kind.preview, about.project
    if load is None:
        return None
    scope = Scope.parse("", project=project.id, timezone=project.timezone, now=now_ms())
    with about.site.store.reader() as reader:
        loaded = load(reader, scope, about.site.definitions, value, found.value if found else None)
        shown = arranged(without_actions(loaded), Arrangement(), msgspec.structs.replace(scope, limit=PREVIEW_ROWS))
        naming = Naming(reader, project.id, about.site.registry.memory)
        called = Names(naming.organizations(shown), naming.people(shown))
    return {
        "report": ReportPage(slug="define", title=about.kind.title, section="", load=_nothing),
        "rows": layout(shown.blocks),
        "tables": shown.tables,
        "chosen": chosen(shown, None),
        "scope": scope,
        "arrangement": Arrangement(),
        "names": called,
        "links": Links(about.address, project.slug, scope, Arrangement(), twins=False),
        "item": None,
    }


def _nothing(*_: Any) -> Report:
    return Report(blocks=())
