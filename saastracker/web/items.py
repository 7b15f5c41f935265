"""Ids of what reports list, as parts of addresses.

Browsers take the part `..` for a step back, however it is quoted. So `./` stands before what would be read as steps,
and before what begins with it itself.
"""

import re
from urllib.parse import quote, unquote

from saastracker.web.site import WebRequest, sent_path

_FACE = re.compile(r"\.(?=(json|csv)\Z)")
_STEPS = re.compile(r"(?<![^/])(?=\.{1,2}(?:/|\Z)|\.%2F)")
_STEP = ".%2F"


def quoted(text: str) -> str:
    """An id as one part of an address."""
    return stepless(faceless(text))


def faceless(text: str) -> str:
    """A text for an address, in which its end is not taken for that of a twin's address."""
    return _FACE.sub("%2E", quote(text, safe=""))


def stepless(path: str) -> str:
    """A path of quoted parts in which none is taken for a step."""
    return _STEPS.sub(_STEP, path)


def unquoted(part: str) -> str:
    """The id that such a part stands for."""
    return unquote(part.removeprefix(_STEP).removeprefix(_STEP.lower()))


def sent(request: WebRequest, place: int) -> str:
    """What stands behind so many parts of the address, as it was sent: unquoted, slashes in it would get lost."""
    parts = sent_path(request).lstrip("/").split("/", place)
    return parts[place].rstrip("/") if len(parts) > place else ""
