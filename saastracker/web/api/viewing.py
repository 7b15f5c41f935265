"""The API's description, for programs and as a page."""

from typing import Any

import msgspec
from litestar import Response

from saastracker.web.answers import cached, page
from saastracker.web.api import catalogue
from saastracker.web.api.openapi import Json, document
from saastracker.web.site import Site, WebRequest, get

LIST_MAX = 12  # values of an enumeration that a page names


@get("/api/openapi.json", sync_to_thread=True)
def described(request: WebRequest) -> Response[bytes]:
    """OpenAPI 3.1, of what this server has: its reports and kinds of definitions too."""
    return cached(request, Response(msgspec.json.encode(_document(request)), media_type="application/json"))


@get("/api", sync_to_thread=True)
def viewer(request: WebRequest) -> Response[bytes]:
    """The same for people."""
    site: Site = request.app.state.site
    return page(request, "api.html", groups=groups(_document(request)), public_url=site.public_url)


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
    required: bool = False


class Shown(msgspec.Struct, frozen=True):
    """An operation as the page shows it."""

    method: str
    path: str
    title: str
    about: str
    anchor: str
    parameters: list[Row]
    body: list[Row]
    answer: list[Row]
    example: str  # of the body
    statuses: list[tuple[str, str]]


def groups(described: Json) -> dict[str, list[Shown]]:
    """The operations of a description by tag."""
    found: dict[str, list[Shown]] = {each["name"]: [] for each in described["tags"]}
    for path, methods in described["paths"].items():
        for method, one in methods.items():
            found[one["tags"][0]].append(_shown(described, path, method, one))
    return found


def _shown(described: Json, path: str, method: str, one: Json) -> Shown:
    body = one.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema")
    answers = [each for status, each in one["responses"].items() if status.startswith("2")]
    contents = [content["schema"] for each in answers for content in each.get("content", {}).values()]
    return Shown(
        method=method.upper(),
        path=path,
        title=one["summary"],
        about=one["description"],
        anchor=one["operationId"],
        parameters=[
            Row(
                each["name"], _type(described, each["schema"]), each.get("description", ""), each.get("required", False)
            )
            for each in (_resolved(described, each) for each in one["parameters"])
        ],
        body=_fields(described, body) if body else [],
        answer=_fields(described, contents[0]) if contents else [],
        example=_json(_example(described, body)) if body else "",
        statuses=[(status, _resolved(described, each)["description"]) for status, each in one["responses"].items()],
    )


def _resolved(described: Json, schema: Json) -> Json:
    found: Any = schema
    while "$ref" in found:
        place: Any = described
        for step in found["$ref"].removeprefix("#/").split("/"):
            place = place[step]
        found = place
    return found  # type: ignore[no-any-return]


def _fields(described: Json, schema: Json) -> list[Row]:
    """The fields of an object, or of each item of a list."""
    found = _resolved(described, schema)
    if found.get("type") == "array":
        found = _resolved(described, found["items"])
    required = found.get("required", [])
    return [
        Row(name, _type(described, each), each.get("description", ""), name in required)
        for name, each in found.get("properties", {}).items()
    ]


def _type(described: Json, schema: Json) -> str:
    """A type in words: `string or null`, `one of read, write`."""
    if "$ref" in schema:
        name: str = schema["$ref"].rpartition("/")[2]
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
