"""Definitions of all kinds over the API: made, read, changed under optimistic versions, deleted, previewed."""

from collections.abc import Iterable, Iterator
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from saastracker import audit
from saastracker.definition import Defined, Definition
from saastracker.errors import NotFound
from saastracker.scope import Scope
from saastracker.web.api.fields import Id, Time, Version, Who
from saastracker.web.api.operation import ID_MAX, Call, Operation, operation, operations
from saastracker.web.api.reports import ReportTwin
from saastracker.web.faces import iso, json_report

TAG = "Definitions"
LIST = "/projects/{slug}/definitions/{kind}"
ONE = f"{LIST}/{{definition}}"


class VersionShown(msgspec.Struct, frozen=True, kw_only=True):
    """A version of a definition."""

    version: Annotated[Version, Meta(description="Of a deletion that of what was deleted.")]
    action: audit.Action
    at: Time
    who: Who
    value: Annotated[Any, Meta(description="What it said since; null: it was deleted.")]


@operation(TAG, "GET", LIST, needed="viewer", answer=msgspec.Raw, listed=lambda each: str(each["id"]))
def list_definitions(call: Call) -> list[dict[str, Any]]:
    """Definitions of the kind {kind}, oldest first."""
    return [_shown(each) for each in call.site.definitions.of(call.project.id, _kind(call).kind)]


@operation(
    TAG,
    "POST",
    LIST,
    needed="member",
    body=msgspec.Raw,
    answer=msgspec.Raw,
    status=201,
    refusals=(409,),
    location=f"{LIST}/{{id}}",
)
def add_definition(call: Call, body: bytes) -> dict[str, Any]:
    """Make a definition of the kind {kind}."""
    kind = _kind(call).kind
    value = call.site.definitions.read(kind, body)
    return _shown(call.site.definitions.create(call.project.id, kind, value=value, who=call.who))


@operation(TAG, "GET", ONE, needed="viewer", answer=msgspec.Raw)
def read_definition(call: Call) -> dict[str, Any]:
    """One definition of the kind {kind}."""
    return _shown(call.site.definitions.find(call.project.id, _kind(call).kind, call.path["definition"]))


@operation(TAG, "PUT", ONE, needed="member", body=msgspec.Raw, answer=msgspec.Raw, versioned=True, refusals=(409,))
def change_definition(call: Call, body: bytes) -> dict[str, Any]:
    """Change a definition of the kind {kind}: all of it.

    An answer can be sent back as it is: what the server added to it is passed over.
    """
    kind, definition = _kind(call).kind, call.path["definition"]
    value = call.site.definitions.read(kind, body)
    changed = call.site.definitions.replace(
        call.project.id, kind, definition, version=call.version or 0, value=value, who=call.who
    )
    return _shown(changed)


@operation(TAG, "DELETE", ONE, needed="member", status=204, versioned=True)
def delete_definition(call: Call) -> None:
    """Delete a definition of the kind {kind}; with `If-Match`, only that version."""
    kind, definition = _kind(call).kind, call.path["definition"]
    call.site.definitions.delete(call.project.id, kind, definition, version=call.version, who=call.who)


@operation(TAG, "GET", f"{ONE}/versions", needed="viewer", answer=list[VersionShown])
def list_versions(call: Call) -> list[VersionShown]:
    """Every version of a definition of the kind {kind}, of a deleted one too, oldest first."""
    entries = call.site.definitions.history(call.project.id, _kind(call).kind, call.path["definition"])
    return [
        VersionShown(version=each.version, action=each.action, at=iso(each.at), who=each.who, value=each.value)
        for each in entries
    ]


@operation(TAG, "POST", f"{LIST}/preview", needed="viewer", body=msgspec.Raw, answer=ReportTwin, scoped=True)
def preview_new(call: Call, body: bytes) -> dict[str, Any]:
    """What a new definition of the kind {kind} would change, as a report; nothing is saved."""
    return _preview(call, body, None)


@operation(TAG, "POST", f"{ONE}/preview", needed="viewer", body=msgspec.Raw, answer=ReportTwin, scoped=True)
def preview_change(call: Call, body: bytes) -> dict[str, Any]:
    """What another value of a definition of the kind {kind} would change, as a report; nothing is saved."""
    kind = _kind(call).kind
    return _preview(call, body, call.site.definitions.find(call.project.id, kind, call.path["definition"]).value)


def _preview(call: Call, body: bytes, current: Any) -> dict[str, Any]:
    kind, project = _kind(call), call.project
    if kind.preview is None:
        raise NotFound(f"A {kind.kind} has no preview.")
    value = call.site.definitions.read(kind.kind, body)
    scope = Scope.parse(call.query, project=project.id, timezone=project.timezone, now=call.now)
    with call.site.store.reader() as reader:
        loaded = kind.preview(reader, scope, call.site.definitions, value, current)
    return json_report(project.slug, kind.kind, scope, loaded)


def _kind(call: Call) -> Definition:
    kinds, kind = call.site.definitions.kinds, call.path["kind"]
    if kind not in kinds:
        raise NotFound(f"There is no kind of definition {kind[:ID_MAX]}; there are: {', '.join(kinds) or 'none'}.")
    return kinds[kind]


def _shown(defined: Defined) -> dict[str, Any]:
    return {
        "id": defined.id,
        "version": defined.version,
        **msgspec.to_builtins(defined.value),
        "created_at": iso(defined.created_at),
        "updated_at": iso(defined.updated_at),
    }


# --- As they are described: each kind with its own fields ---


def of_kinds(kinds: Iterable[Definition], module: Any) -> Iterator[Operation]:
    """The operations of this module once for each kind, with what bodies and answers of that hold."""
    for kind in kinds:
        answer = _answer(kind)
        for each in operations(module):
            if each.scoped and kind.preview is None:
                continue
            yield msgspec.structs.replace(
                each,
                path=each.path.replace("{kind}", kind.kind),
                title=each.title.replace("{kind}", kind.kind),
                variant=kind.kind,
                body=kind.struct if each.body is msgspec.Raw else each.body,
                answer=answer if each.answer is msgspec.Raw else each.answer,
            )


def _answer(kind: Definition) -> type[msgspec.Struct]:
    """What answers hold: the kind's fields, and what the server adds."""
    fields = msgspec.structs.fields(kind.struct)
    own = [(each.name, each.type) if each.required else (each.name, each.type, _default(each)) for each in fields]
    name = "".join(part.title() for part in kind.kind.split("-"))
    return msgspec.defstruct(
        f"{name}Defined",
        [("id", Id), ("version", Version), *own, ("created_at", Time), ("updated_at", Time)],
        kw_only=True,
        rename={each.name: each.encode_name for each in fields},
        namespace={"__doc__": f"A definition of the kind {kind.kind}."},
    )


def _default(field: msgspec.structs.FieldInfo) -> Any:
    if field.default is not msgspec.NODEFAULT:
        return field.default
    return msgspec.field(default_factory=field.default_factory)
