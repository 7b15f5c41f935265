"""Ready code that sends a first event, for each first-party format and language, filled with a project's keys."""

from collections.abc import Callable, Iterable, Mapping

import msgspec

from saastracker.bindings import Bound
from saastracker.records import Key
from saastracker.snippets.calls import CALLS, TAGS, Keys
from saastracker.snippets.languages import LANGUAGES, browser, curl_line
from saastracker.wire import Project

PLACEHOLDER = "your-secret"  # where code needs what is not known any more


class Snippet(msgspec.Struct, frozen=True):
    """Code in one language."""

    language: str  # curl, python, node, ruby, browser
    label: str
    code: str


class Snippets(msgspec.Struct, frozen=True):
    """What one format is sent with."""

    format: str
    about: str
    each: tuple[Snippet, ...]


def snippets(url: str, bindings: Mapping[str, Bound], keys: Mapping[str, Keys]) -> tuple[Snippets, ...]:
    """Code by format; `keys` is what was shown, by auth scheme.

    A format that is not at its default path and scheme is left out, and so is one without a key.
    """
    found = []
    for path, call in CALLS.items():
        if not _bound(bindings, path, call.scheme) or call.scheme not in keys:
            continue
        sent = call.sent(url + path, keys[call.scheme])
        each = [Snippet(name, label, write(sent)) for name, (label, write) in LANGUAGES.items()]
        tag = TAGS.get(path)
        if tag is not None and _bound(bindings, tag.path, tag.scheme):
            each.append(Snippet("browser", "Browser tag", browser(*tag.sent(url + tag.path, keys[call.scheme]))))
        found.append(Snippets(bindings[path].format.name, call.about, tuple(each)))
    return tuple(found)


def curl(url: str, bindings: Mapping[str, Bound], keys: Mapping[str, Keys]) -> dict[str, str]:
    """A line for a shell by format."""
    return {
        bindings[path].format.name: curl_line(call.sent(url + path, keys[call.scheme]))
        for path, call in CALLS.items()
        if _bound(bindings, path, call.scheme) and call.scheme in keys
    }


def known(project: Project, keys: Iterable[Key]) -> dict[str, dict[str, str]]:
    """What is readable of a project's live keys, by auth scheme as it was shown; secrets are placeholders."""
    newest = {key.scheme: key for key in keys}
    return {scheme: shown(project, newest[scheme]) for scheme, shown in _READABLE.items() if scheme in newest}


_READABLE: Mapping[str, Callable[[Project, Key], dict[str, str]]] = {
    "hmac": lambda project, _: {"app_uuid": project.id, "api_secret": PLACEHOLDER},
    "project-key": lambda _, key: {"key": key.lookup},
    "query-token": lambda _, key: {"api_key": key.lookup, "server_token": PLACEHOLDER},
    "bearer": lambda *_: {"key": PLACEHOLDER},
}


def _bound(bindings: Mapping[str, Bound], path: str, scheme: str) -> bool:
    return path in bindings and bindings[path].scheme.name == scheme
