"""The API for scripts: every settings page as JSON, described as OpenAPI, with a page to read that."""

from litestar import Router

from saastracker.web.api.catalogue import OPERATIONS
from saastracker.web.api.running import PREFIX, handler
from saastracker.web.api.viewing import described, viewer

ROUTES = (
    Router(path=PREFIX, route_handlers=[handler(each) for each in OPERATIONS]),
    described,
    viewer,
)
