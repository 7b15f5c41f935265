"""Style sheet, scripts and icon: read once, addressed by their content, kept by browsers for a year."""

import hashlib
import mimetypes
from importlib.resources import files

from litestar import Response
from litestar.params import FromPath

from saastracker.errors import NotFound
from saastracker.web.packing import packed
from saastracker.web.site import WebRequest, get

_FILES = {file.name: file.read_bytes() for file in sorted(files(__package__).joinpath("static").iterdir(), key=str)}
# One digest for all, so that a script reaches its neighbours by a relative address.
_DIGEST = hashlib.blake2b(b"".join(_FILES.values()), digest_size=8).hexdigest()


def static_url(name: str) -> str:
    """The address of a file in static/; it changes with any of the files."""
    return f"/static/{_DIGEST}/{name}"


def _answer(name: str, cache: str) -> Response[bytes]:
    media_type = mimetypes.guess_type(name)[0] or "application/octet-stream"
    return Response(_FILES[name], media_type=media_type, headers={"cache-control": cache})


@get("/static/{digest:str}/{name:str}", sync_to_thread=False)
def static(request: WebRequest, digest: FromPath[str], name: FromPath[str]) -> Response[bytes]:
    if name not in _FILES:
        raise NotFound("There is no such file.")
    # A page from before an upgrade asks under the old digest: answered, but not kept.
    answer = _answer(name, "public, max-age=31536000, immutable" if digest == _DIGEST else "no-store")
    answer.headers["vary"] = "accept-encoding"
    return packed(request, answer)


@get("/favicon.ico", sync_to_thread=False)
def favicon() -> Response[bytes]:
    return _answer("icon.svg", "public, max-age=86400")


@get("/robots.txt", sync_to_thread=False)
def robots() -> Response[bytes]:
    return _answer("robots.txt", "public, max-age=86400")
