"""The description of the API as OpenAPI 3.1: of its operations, and of the twins of all reports there are."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from saastracker.contracts import ReportPage
from saastracker.scope import Parameter
from saastracker.web.answers import Problem
from saastracker.web.api.operation import Operation
from saastracker.web.api.reports import ReportFresh, face_parameters, scope_parameters, title_of
from saastracker.web.api.running import CSRF_HEADER, PREFIX
from saastracker.web.site import SESSION_COOKIE
from saastracker.wire import AuthScheme, Project

Json = dict[str, Any]

REFUSALS: Mapping[int, str] = {
    400: "The query string or the body is wrong; `detail` names the field by its path.",
    401: "Not signed in, or the token is unknown or revoked.",
    403: "The role or the token's scope is too low, or a cookie's change comes without its CSRF token.",
    404: "It is not there, or belongs to a workspace that the caller may not know of.",
    405: "The address does not take that method.",
    408: "The body did not arrive in time.",
    409: "In the way of another change, or the name is taken, or there are too many; `detail` says which.",
    412: "It was changed since the version that `If-Match` names.",
    413: "The body is too large.",
    415: "The body is not JSON.",
    428: "`If-Match` is missing.",
    500: "The server failed; its log says why.",
    503: "Not now, or a query took too long; send it again later.",
}
ALWAYS = (400, 401, 405, 500, 503)
_ABOUT = {
    "slug": "Slug of the project.",
    "workspace": "Id of the workspace.",
    "item": "Id of what the report lists, percent-encoded.",
}
INTRO = """JSON for scripts: every page of the settings, and every report.

Send an API token as `Authorization: Bearer st_…`: of the scope `read` for reading, `write` for definitions, `admin` for
settings. The cookie of somebody who is signed in works too; changes then need the page's CSRF token in `X-CSRF-Token`.
Errors are problem details (RFC 9457). Lists have `limit` and `after`; `Link` leads to the next page."""


def document(operations: Sequence[Operation], reports: Iterable[ReportPage], schemes: Mapping[str, AuthScheme]) -> Json:
    """All there is to know about the API, as JSON has it."""
    types = [Problem, ReportFresh, *(each for one in operations for each in _types(one))]
    named = list({repr(each): each for each in types}.values())
    schemas, components = msgspec.json.schema_components(named, ref_template="#/components/schemas/{name}")
    known = {repr(each): schema for each, schema in zip(named, schemas, strict=True)}
    _offer(components, schemes)
    paths: dict[str, Json] = {}
    for each in operations:
        paths.setdefault(PREFIX + each.path, {})[each.method.lower()] = _described(each, known)
    for page in reports:
        paths |= _twins(page, known[repr(ReportFresh)])
    return {
        "openapi": "3.1.0",
        "info": {"title": "saastracker", "version": "1", "description": INTRO},
        "servers": [{"url": "/"}],
        "security": [{"token": []}, {"session": []}],
        "tags": [{"name": name} for name in dict.fromkeys([*(each.tag for each in operations), "Reports"])],
        "paths": paths,
        "components": {
            "schemas": components,
            "parameters": {each["name"]: each for each in face_parameters(())},
            "responses": {str(status): _problem(status) for status in REFUSALS},
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer", "description": "An API token, `st_…`."},
                "session": {
                    "type": "apiKey",
                    "in": "cookie",
                    "name": SESSION_COOKIE,
                    "description": f"Of somebody who is signed in. Changes need the header {CSRF_HEADER}, too.",
                },
            },
        },
    }


def _offer(components: Json, schemes: Mapping[str, AuthScheme]) -> None:
    """Of which auth schemes there can be keys."""
    nobody = Project(id="", slug="", name="", workspace="")
    components["KeyNew"]["properties"]["scheme"]["enum"] = [
        name for name, scheme in schemes.items() if scheme.issue(nobody)
    ]


def _types(operation: Operation) -> list[Any]:
    answer = list[operation.answer] if operation.listed else operation.answer  # type: ignore[name-defined]
    return [each for each in (operation.body, answer, operation.parameters) if each is not None]


# --- Operations ---


def _described(operation: Operation, known: Mapping[str, Json]) -> Json:
    refusals = {*ALWAYS, *operation.refusals}
    if operation.needed is not None or operation.method != "GET":
        refusals.add(403)
    if "{" in operation.path:
        refusals.add(404)
    if operation.body is not None:
        refusals |= {404, 408, 413, 415}
    if operation.versioned:
        refusals |= {412, 428} if operation.method == "PUT" else {412}
    found: Json = {
        "operationId": operation.name,
        "tags": [operation.tag],
        "summary": operation.title,
        "description": " ".join(filter(None, (operation.about, _needs(operation)))),
        "parameters": [*_path_parameters(operation.path), *_parameters(operation)],
        "responses": {str(operation.status): _success(operation, known), **_refusals(refusals)},
    }
    if operation.body is not None:
        schema = known[repr(operation.body)]
        found["requestBody"] = {"required": True, "content": {"application/json": {"schema": schema}}}
    return found


def _needs(operation: Operation) -> str:
    scopes = {"viewer": "read", "member": "write", "admin": "admin"}
    if operation.needed is None:
        return ""
    scope = scopes.get(operation.needed)
    token = f"a token of scope {scope}, or " if scope else ""
    return f"Needs {token}the role {operation.needed}."


def _parameters(operation: Operation) -> list[Json]:
    found = _shared(scope_parameters()) if operation.scoped else []
    if operation.versioned:
        found.append(
            {
                "name": "If-Match",
                "in": "header",
                "required": operation.method == "PUT",
                "description": "The version that is changed, as its `version` or `ETag` says.",
                "schema": {"type": "integer", "minimum": 1, "maximum": 999_999_999},
                "example": 1,
            }
        )
    for field in () if operation.scoped else msgspec.structs.fields(operation.parameters):
        (schema,), _ = msgspec.json.schema_components([field.type])
        about = schema.pop("description", "")
        found.append(
            {
                "name": field.encode_name,
                "in": "query",
                "description": about,
                "schema": schema if field.default in {"", None} else {**schema, "default": field.default},
            }
        )
    return found


def _path_parameters(path: str) -> list[Json]:
    return [
        {
            "name": name,
            "in": "path",
            "required": True,
            "description": _ABOUT.get(name, f"Id of the {name}." if name != "job" else "Name of the job."),
            "schema": {"type": "string", "minLength": 1},
        }
        for name in re.findall(r"\{(\w+)\}", path)
    ]


def _success(operation: Operation, known: Mapping[str, Json]) -> Json:
    if operation.answer is None:
        return {"description": "Done."}
    schema = known[repr(list[operation.answer] if operation.listed else operation.answer)]  # type: ignore[name-defined]
    found: Json = {"description": operation.title + ".", "content": {"application/json": {"schema": schema}}}
    headers: Json = {}
    if operation.listed:
        headers["Link"] = _header('Address of the next page, `rel="next"`, where there is one.')
    if operation.versioned or "Defined" in str(schema):
        headers["ETag"] = _header("The version, for `If-Match`.")
    if operation.location:
        headers["Location"] = _header("Address of what was made.")
    return {**found, "headers": headers} if headers else found


def _header(about: str) -> Json:
    return {"description": about, "schema": {"type": "string"}}


def _refusals(statuses: Iterable[int]) -> Json:
    return {str(status): {"$ref": f"#/components/responses/{status}"} for status in sorted(statuses)}


def _problem(status: int) -> Json:
    schema = {"$ref": "#/components/schemas/Problem"}
    return {"description": REFUSALS[status], "content": {"application/problem+json": {"schema": schema}}}


def _shared(parameters: list[Json]) -> list[Json]:
    """By reference where all reports take the same."""
    common = face_parameters(())
    return [{"$ref": f"#/components/parameters/{each['name']}"} if each in common else each for each in parameters]


# --- Reports ---


def _twins(page: ReportPage, schema: Json) -> dict[str, Json]:
    one: Json = {
        "tags": ["Reports"],
        "summary": f"Report {page.title}",
        "description": f"{page.about} Needs a token of scope read, or the role viewer.".strip(),
    }
    address = f"/p/{{slug}}/{page.slug}"
    paths = _faces(address, f"report_{title_of(page.slug)}", one, page.parameters, schema)
    if page.detail is not None:
        one = {**one, "summary": f"Report {page.title}: one item"}
        name = f"report_{title_of(page.slug)}_item"
        paths |= _faces(f"{address}/{{item}}", name, one, page.detail_parameters, schema)
    return paths


def _faces(address: str, name: str, one: Json, declared: tuple[Parameter, ...], schema: Json) -> dict[str, Json]:
    """The twins at an address."""
    content = {"json": {"application/json": {"schema": schema}}, "csv": {"text/csv": {"schema": {"type": "string"}}}}
    return {
        f"{address}.{face}": {
            "get": {
                **one,
                "operationId": f"{name}_{face}",
                "summary": f"{one['summary']}, as {face.upper()}",
                "parameters": [*_path_parameters(address), *_shared(face_parameters(declared))],
                "responses": {
                    "200": {"description": "The report.", "content": content[face]},
                    "304": {"description": "It is as `If-None-Match` names it."},
                    **_refusals({*ALWAYS, 403, 404}),
                },
            }
        }
        for face in ("json", "csv")
    }
