"""The API for scripts: every settings page as JSON, described as OpenAPI, with a page to read that."""

from itertools import starmap

from litestar import Router

from saastracker.web.api.catalogue import OPERATIONS
from saastracker.web.api.operation import Operation
from saastracker.web.api.running import PREFIX, handler, options
from saastracker.web.api.viewing import described, viewer

_BY_PATH: dict[str, list[Operation]] = {}
for _each in OPERATIONS:
    _BY_PATH.setdefault(_each.path, []).append(_each)

ROUTES = (
    Router(path=PREFIX, route_handlers=[*starmap(options, _BY_PATH.items()), *map(handler, OPERATIONS)]),
    described,
    viewer,
)
