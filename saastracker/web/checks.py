"""Addresses for monitors: alive, ready, metrics."""

import ipaddress
import re

import msgspec
from litestar import Response

from saastracker.errors import Forbidden
from saastracker.roles import may
from saastracker.web.site import Site, WebRequest, get

_FORWARDED = {"forwarded", "x-real-ip", "via", "cf-connecting-ip", "true-client-ip"}  # what proxies add


@get("/healthz", sync_to_thread=False)
def healthz() -> Response[bytes]:
    """The process is alive."""
    return Response(b'{"status":"ok"}', media_type="application/json")


@get("/readyz")
async def readyz(request: WebRequest) -> Response[bytes]:
    """Whether events can be taken now: 200 or 503, with what is wrong."""
    site: Site = request.app.state.site
    state = await site.ready()
    body = msgspec.json.encode(dict(state))
    return Response(body, status_code=200 if state["ready"] else 503, media_type="application/json")


@get("/metrics", sync_to_thread=True)  # some of it is read from the store
def metrics(request: WebRequest) -> Response[bytes]:
    """Prometheus text, for the machine itself without a token, for others with one of scope admin."""
    site: Site = request.app.state.site
    if not _local(request) and not may(site.caller(request).highest, "admin"):
        raise Forbidden("Metrics tell about all projects: use a token of scope admin.")
    return Response(site.metrics(), media_type="text/plain; version=0.0.4")


def _local(request: WebRequest) -> bool:
    """Whether a program on this machine asks for itself.

    A proxy on it asks for the world, and a page whose name was made to point here, for its author.
    """
    forwarded = any(name in _FORWARDED or name.startswith("x-forwarded-") for name in request.headers)
    host = re.sub(r":\d+$", "", request.headers.get("host", "")).strip("[]")
    return not forwarded and request.client is not None and _is_loopback(request.client.host) and _is_loopback(host)


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:  # another name, or a socket in the file system
        return False
