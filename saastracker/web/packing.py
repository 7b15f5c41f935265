"""Answers made smaller on their way."""

import gzip
import io
import secrets

from litestar import Response

from saastracker.web.site import WebRequest

SIZE_MIN = 2048  # bytes; below, it is not worth the time
_LEVEL = 4  # fast, and a page becomes a sixth


def packed(request: WebRequest, answer: Response[bytes]) -> Response[bytes]:
    """The answer in gzip, if it is worth it and the caller takes it."""
    taken = {coding.strip() for coding in request.headers.get("accept-encoding", "").split(",")}
    if len(answer.content) >= SIZE_MIN and "gzip" in taken:
        answer.content = _gzip(answer.content)
        answer.headers["content-encoding"] = "gzip"
    return answer


def _gzip(content: bytes) -> bytes:
    into = io.BytesIO()
    # A file name of random length: else the length of a page would tell what in it repeats the address (BREACH).
    name = "-" * (1 + secrets.randbelow(100))
    with gzip.GzipFile(name, "wb", _LEVEL, into, mtime=0) as file:
        file.write(content)
    return into.getvalue()
