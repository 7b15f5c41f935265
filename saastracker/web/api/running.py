"""Runs an operation for a request: who asks, what may be sent, and how the answer goes out."""

import asyncio
import re
from collections.abc import Awaitable, Callable, Sequence
from typing import Any
from urllib.parse import parse_qsl, urlencode

import msgspec
from litestar import Response, route
from litestar.handlers import HTTPRouteHandler

from saastracker.accounts.csrf import check_csrf
from saastracker.decoding import decode
from saastracker.errors import Invalid, Stale, Unauthorized, UnsupportedMedia, VersionMissing
from saastracker.fact_rules import WrongField
from saastracker.records import Workspace
from saastracker.scope import LIMIT_DEFAULT
from saastracker.web.api.operation import ID_MAX, Call, Operation
from saastracker.web.callers import Caller
from saastracker.web.site import SESSION_COOKIE, Site, WebRequest, check_role, read_body, sent_path
from saastracker.wire import Project

CSRF_HEADER = "x-csrf-token"  # what forms carry in a field
PREFIX = "/api/v1"
WHOLE_MAX = 2**53  # up to which a float tells one whole number from the next


def handler(operation: Operation) -> HTTPRouteHandler:
    """An operation as the router takes it."""
    decoder = None if operation.body in {None, msgspec.Raw} else msgspec.json.Decoder(operation.body)

    async def handle(request: WebRequest) -> Response[bytes]:
        call = _opened(operation, request)
        sent: tuple[Any, ...] = ()
        if operation.body is not None:
            _check_type(request)
            body = _whole(await read_body(request))
            sent = (body if decoder is None else decode(decoder, body),)
        try:
            result = await asyncio.to_thread(operation.run, call, *sent)
        except WrongField as wrong:
            raise Invalid(f"$.{wrong.field}: {wrong}") from None
        return _answer(operation, call, request, result)

    methods: Any = ["GET", "HEAD"] if operation.method == "GET" else [operation.method]
    made: Callable[[Callable[..., Awaitable[Response[bytes]]]], HTTPRouteHandler] = route(
        _placed(operation.path), http_method=methods, status_code=200, opt={"operation": operation}
    )
    return made(handle)


def options(path: str, operations: Sequence[Operation]) -> HTTPRouteHandler:
    """What an address takes: Litestar's own answer names the methods of one operation only."""
    methods = [each.method for each in operations]
    allow = ", ".join([*methods, *(["HEAD"] if "GET" in methods else []), "OPTIONS"])

    async def answer() -> Response[bytes]:
        return Response(b"", status_code=204, headers={"allow": allow})

    made: HTTPRouteHandler = route(_placed(path), http_method=["OPTIONS"], status_code=200)(answer)
    return made


def _placed(path: str) -> str:
    """An address as the router writes it."""
    return re.sub(r"\{(\w+)\}", r"{\1:str}", path)


def _opened(operation: Operation, request: WebRequest) -> Call:
    """Raises Unauthorized; Forbidden for a role too low, and for a cookie's write without its token; NotFound."""
    site: Site = request.app.state.site
    caller = site.caller(request)
    if operation.method != "GET" and caller.cookie:
        _check_cookie(caller, request)
    path = {name: str(value) for name, value in request.path_params.items()}
    call = Call(
        site=site,
        caller=caller,
        path=path,
        query=request.scope["query_string"].decode("latin-1"),
    )
    found: Project | Workspace | None = None
    needed = operation.needed
    if needed is not None:
        if "slug" in path:
            found = site.project(caller, path["slug"], needed, active=not operation.deleted)
        elif "workspace" in path:
            found = call.enter(path["workspace"], needed)
        else:
            check_role(caller, caller.highest, needed)
    return msgspec.structs.replace(
        call,
        found=found,
        parameters=None if operation.scoped else _parameters(operation, call.query),
        version=_version(operation, request),
    )


def _check_cookie(caller: Caller, request: WebRequest) -> None:
    if caller.signed is None:
        raise Unauthorized("Send an API token as `Authorization: Bearer st_…`; its cookie changes nothing here.")
    check_csrf(request.cookies.get(SESSION_COOKIE, ""), request.headers.get(CSRF_HEADER, ""))


def _check_type(request: WebRequest) -> None:
    kind = request.headers.get("content-type", "application/json").partition(";")[0].strip().lower()
    if kind != "application/json":
        raise UnsupportedMedia("Send JSON, with `Content-Type: application/json`.")


def _whole(body: bytes) -> bytes:
    """Numbers such as 2.0 as 2: to JSON Schema, and to some languages, they are the same."""
    try:
        value = msgspec.json.decode(body)
        return msgspec.json.encode(_mended(value)) if b"." in body or b"e" in body.lower() else body
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, OverflowError):
        return body  # what is wrong with it is for `decode` to say


def _mended(value: Any) -> Any:
    """Raises OverflowError for a number that is not finite."""
    match value:
        case dict():
            return {name: _mended(each) for name, each in value.items()}
        case list():
            return [_mended(each) for each in value]
        case float():
            whole = int(value)
            return whole if whole == value and abs(whole) <= WHOLE_MAX else value
    return value


def _parameters(operation: Operation, query: str) -> Any:
    """Raises Invalid."""
    known = operation.parameters.__struct_fields__
    try:
        pairs = parse_qsl(query, keep_blank_values=True, max_num_fields=100)
    except ValueError:
        raise Invalid("The query string has more than 100 fields.") from None
    given = dict(pairs)
    if unknown := [name for name in given if name not in known]:
        allowed = f"allowed are {', '.join(known)}" if known else "this takes none"
        raise Invalid(f"{unknown[0][:ID_MAX]}: unknown parameter, {allowed}")
    if len(given) < len(pairs):
        raise Invalid("A parameter is given twice.")
    try:
        return msgspec.convert(given, operation.parameters, strict=False)
    except msgspec.ValidationError as error:
        text, _, path = str(error).rpartition(" - at `$.")
        raise Invalid(f"{path.removesuffix('`')}: {text}") from None


def _version(operation: Operation, request: WebRequest) -> int | None:
    """The version that `If-Match` names. Raises VersionMissing, Stale for what no version can be."""
    sent = request.headers.get("if-match")
    if sent is None or not operation.versioned:
        if operation.versioned and operation.method == "PUT":
            raise VersionMissing("Send the header `If-Match` with the version that you change, such as `If-Match: 1`.")
        return None
    text = sent.strip().removeprefix('"').removesuffix('"')
    if not (text.isascii() and text.isdigit() and len(text) < 10 and int(text)):
        raise Stale("`If-Match` takes one version, such as `If-Match: 1`.")
    return int(text)


def _answer(operation: Operation, call: Call, request: WebRequest, result: Any) -> Response[bytes]:
    if operation.answer is None:
        return Response(b"", status_code=operation.status)
    headers = {}
    if operation.listed is not None:
        result, onward = _page(operation, call, result)
        if onward:
            headers["link"] = f'<{sent_path(request)}?{onward}>; rel="next"'
    version = result.get("version") if isinstance(result, dict) else getattr(result, "version", None)
    if version is not None:
        headers["etag"] = f'"{version}"'
    if operation.location:
        fields = {**call.path, **msgspec.to_builtins(result)}
        headers["location"] = PREFIX + operation.location.format_map(fields)
    body = msgspec.json.encode(result)
    return Response(body, status_code=operation.status, media_type="application/json", headers=headers)


def _page(operation: Operation, call: Call, items: Any) -> tuple[list[Any], str]:
    """One page of a list, and the query string of the next one, if there is one."""
    key = operation.listed
    assert key is not None  # noqa: S101  # for mypy
    keyed = [(key(item).encode(), item) for item in items]
    if not operation.paged:
        keyed.sort(key=lambda each: each[0], reverse=operation.newest_first)
    paging = call.parameters
    if paging.after and not operation.paged:
        after = bytes.fromhex(paging.after)
        keyed = [each for each in keyed if (each[0] < after if operation.newest_first else each[0] > after)]
    shown = keyed[: paging.limit]
    if len(keyed) <= paging.limit:
        return [item for _, item in shown], ""
    given = {"after": shown[-1][0].hex()}
    for name in operation.parameters.__struct_fields__:
        value = getattr(paging, name)
        if name != "after" and value not in {None, ""} and (name != "limit" or value != LIMIT_DEFAULT):
            given[name] = str(value)
    return [item for _, item in shown], urlencode(given)
