"""The API's description, for programs and as a page."""

import re
from typing import Any

import msgspec
from litestar import Response

from saastracker.errors import NotFound
from saastracker.web.answers import cached, page
from saastracker.web.api import catalogue
from saastracker.web.api.openapi import Json, document
from saastracker.web.site import Site, WebRequest, get

ID_MAX = 64  # characters of what is told back
LIST_MAX = 8  # values of an enumeration that a page names


@get("/api/openapi.json", sync_to_thread=True)
def described(request: WebRequest) -> Response[bytes]:
    """OpenAPI 3.1, of what this server has: its reports and kinds of definitions too."""
    return cached(request, Response(msgspec.json.encode(_document(request)), media_type="application/json"))


@get("/api", sync_to_thread=True)
def viewer(request: WebRequest) -> Response[bytes]:
    """The same for people: all operations, or the one that `of` names. Raises NotFound."""
    site: Site = request.app.state.site
    found, name = _document(request), request.query_params.get("of")
    if name is None:
        return page(
            request,
            "api.html",
            groups=groups(found),
            one=None,
            curl=_curl(site.public_url, "/api/v1/projects", "get", [], ""),
        )
    for path, methods in found["paths"].items():
        for method, each in methods.items():
            if each["operationId"] == name:
                one = shown(found, site.public_url, path, method, each)
                return page(request, "api.html", groups={}, one=one, curl="")
    raise NotFound(f"The API has nothing that is called {name[:ID_MAX]}.")


def _document(request: WebRequest) -> Json:
    state, site = request.app.state, request.app.state.site
    if "openapi" not in state:
        state["openapi"] = document(
            catalogue.described(site.definitions.kinds.values()), site.reports.values(), site.registry.auth_schemes
        )
    found: Json = state["openapi"]
    return found


class Row(msgspec.Struct, frozen=True):
    """A parameter, or a field of a body or an answer."""

    name: str
    type: str
    about: str
    needed: bool = False  # by who asks


class Line(msgspec.Struct, frozen=True):
    """An operation in the list of all."""

    method: str
    path: str
    title: str
    name: str


class Shown(msgspec.Struct, frozen=True):
    """An operation on a page of its own."""

    method: str
    path: str
    title: str
    about: str
    tag: str
    tables: list[tuple[str, list[Row]]]  # parameters, body, answer and the types they name, each under its heading
    curl: str
    statuses: list[tuple[str, str]]


def groups(described: Json) -> dict[str, list[Line]]:
    """The operations of a description by tag."""
    found: dict[str, list[Line]] = {each["name"]: [] for each in described["tags"]}
    for path, methods in described["paths"].items():
        for method, one in methods.items():
            found[one["tags"][0]].append(Line(method.upper(), path, one["summary"], one["operationId"]))
    return found


def shown(described: Json, url: str, path: str, method: str, one: Json) -> Shown:
    """One operation of a description, with all that it names."""
    body = one.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema")
    answers = [each for status, each in one["responses"].items() if status.startswith("2")]
    contents = [content["schema"] for each in answers for content in each.get("content", {}).values()]
    parameters = [
        Row(each["name"], _type(described, each["schema"]), each.get("description", ""), each.get("required", False))
        for each in (_resolved(described, each) for each in one["parameters"])
    ]
    tables = [("Parameters", parameters)]
    if body:
        tables.append(("Body", _fields(described, body, sent=True)))
    if contents:
        tables.append(("Answer: a list of" if "items" in contents[0] else "Answer", _fields(described, contents[0])))
    types = described["components"]["schemas"]
    named = _named(described, [each for each in (body, *contents) if each])
    tables += [(_short(name), _fields(described, types[name])) for name in named]
    return Shown(
        method=method.upper(),
        path=path,
        title=one["summary"],
        about=one["description"],
        tag=one["tags"][0],
        tables=[(heading, rows) for heading, rows in tables if rows],
        curl=_curl(url, path, method, parameters, _json(_example(described, body)) if body else ""),
        statuses=[(status, _resolved(described, each)["description"]) for status, each in one["responses"].items()],
    )


def _curl(url: str, path: str, method: str, parameters: list[Row], body: str) -> str:
    """The line that asks for it; what it is about stands in braces."""
    lines = [
        f'curl{"" if method == "get" else f" -X {method.upper()}"} "{url}{path}"',
        '-H "Authorization: Bearer $TOKEN"',
    ]
    if any(each.name == "If-Match" and each.needed for each in parameters):
        lines.append('-H "If-Match: $VERSION"')
    if body:
        lines.append(f"""-H "Content-Type: application/json" -d '{body}'""")
    return " \\\n  ".join(lines)


def _named(described: Json, schemas: list[Json]) -> list[str]:
    """The types that others name within, each once, in the order in which they are met."""
    found: dict[str, None] = {}
    waiting = [_resolved(described, _resolved(described, each).get("items", each)) for each in schemas]
    while waiting:
        for name in re.findall(r"'#/components/schemas/([^']+)'", repr(waiting.pop(0))):
            schema = described["components"]["schemas"][name]
            if name not in found and "properties" in schema:
                found[name] = None
                waiting.append(schema)
    return list(found)


def _resolved(described: Json, schema: Json) -> Json:
    found: Any = schema
    while "$ref" in found:
        place: Any = described
        for step in found["$ref"].removeprefix("#/").split("/"):
            place = place[step]
        found = place
    return found  # type: ignore[no-any-return]


def _fields(described: Json, schema: Json, *, sent: bool = False) -> list[Row]:
    """The fields of an object, or of each item of a list."""
    found = _resolved(described, schema)
    if found.get("type") == "array":
        found = _resolved(described, found["items"])
    required = found.get("required", []) if sent else []
    return [
        Row(name, _type(described, each), _about(each), name in required)
        for name, each in found.get("properties", {}).items()
    ]


def _about(schema: Json) -> str:
    """What a description says, of one that may be null, too."""
    told = (each.get("description", "") for each in (schema, *schema.get("anyOf", ())))
    return next(filter(None, told), "")


def _short(name: str) -> str:
    """A type without the module that tells it from another of its name."""
    return name.rpartition(".")[2]


def _type(described: Json, schema: Json) -> str:
    """A type in words: `string or null`, `one of read, write`."""
    if "$ref" in schema:
        name = _short(schema["$ref"].rpartition("/")[2])
        found = _resolved(described, schema)
        return _type(described, found) if "enum" in found else name
    if "anyOf" in schema:
        return " or ".join(dict.fromkeys(_type(described, each) for each in schema["anyOf"]))
    if "enum" in schema:
        values = [str(each) for each in schema["enum"]]
        shown = ", ".join(values[:LIST_MAX])
        return f"one of {shown}{' …' if len(values) > LIST_MAX else ''}"
    if "const" in schema:
        return str(schema["const"])
    if schema.get("type") == "array":
        return f"list of {_type(described, schema.get('items', {}))}"
    kind = schema.get("type", "anything")
    return str(schema.get("format", kind)) if kind == "string" else str(kind)


def _example(described: Json, schema: Json) -> Any:
    """A value that the schema allows: its own examples, else the simplest."""
    found = _resolved(described, schema)
    for key in ("examples", "enum"):
        if found.get(key):
            return found[key][0]
    if "default" in found:
        return found["default"]
    if "anyOf" in found:
        return _example(described, found["anyOf"][0])
    if found.get("type") == "object":
        needed = found.get("required", [])
        return {name: _example(described, each) for name, each in found.get("properties", {}).items() if name in needed}
    if found.get("type") == "array":
        return [_example(described, found["items"])] if found.get("minItems") else []
    return {"string": "…", "integer": found.get("minimum", 0), "number": found.get("minimum", 0), "boolean": False}.get(
        found.get("type", "")
    )


def _json(value: Any) -> str:
    return msgspec.json.format(msgspec.json.encode(value), indent=2).decode()
