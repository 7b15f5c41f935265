"""Path rules: paths that differ only in an id become one, before events are stored."""

from collections.abc import Sequence
from functools import lru_cache

from saastracker.compiled import Compiled
from saastracker.contracts import Reader
from saastracker.definition import Definition, Definitions
from saastracker.event import Event
from saastracker.hookspecs import hookimpl
from saastracker.report import Report
from saastracker.scope import Scope
from saastracker.wire import Enricher, Project, Sender
from saastracker_path_rules.patterns import Cleaner, PathRules, check

KIND = "path-rules"  # of definition
CACHED = 10_000  # paths; 10 MB if all of them are that long
CACHED_LENGTH = 255  # characters; longer ones are looked at each time


class Cleaning:
    """Rewrites paths by the rules of their project."""

    name = "path-rules"

    def __init__(self, definitions: Definitions) -> None:
        self._rules = Compiled(definitions, KIND, Cleaner)
        self._known = lru_cache(CACHED)(Cleaner.clean)

    def enrich(self, events: Sequence[Event], project: Project, sender: Sender, address: str | None) -> None:  # noqa: ARG002
        rules = self._rules.of(project.id)
        if rules is None:
            return
        for event in events:
            if event.path:
                short = len(event.path) <= CACHED_LENGTH
                event.path = self._known(rules, event.path) if short else rules.clean(event.path)


@hookimpl
def enrichers(definitions: Definitions) -> Sequence[Enricher]:
    return [Cleaning(definitions)]


@hookimpl
def definitions() -> Sequence[Definition]:
    return [
        Definition(
            kind=KIND,
            title="Path rules",
            about="Paths that differ only in an id become one, before events are stored.",
            struct=PathRules,
            check=check,
            preview=preview,
            most=1,
        )
    ]


def preview(
    reader: Reader, scope: Scope, _definitions: Definitions, rules: PathRules, _current: PathRules | None
) -> Report:
    """What would have become of the paths of the span."""
    from saastracker_path_rules.previewing import preview as rewritten  # noqa: PLC0415  # numpy takes 13 MB

    return rewritten(reader, scope, rules)
