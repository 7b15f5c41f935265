"""What the index counts of errors: the key and the release of each, and the names that error events have."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from saastracker.contracts import Reader
from saastracker.definition import Definitions
from saastracker.issues.grouping import NAMES, TYPE, failure
from saastracker.issues.kinds import GROUPING, Grouping, key_of
from saastracker.tagger import KEY_MAX, Tagger, Tagging

VERSION = 1  # another one counts all errors again: for whatever changes keys
# An event has to fit all columns a tagging wants, and here it is one of two.
BY_TYPE, BY_NAME = "issue", "issue-named"
RULED_BY_TYPE, RULED_BY_NAME = "issue-ruled", "issue-ruled-named"
EVENT_NAMES = "error-name"
WANTED = {"type": frozenset({TYPE})}, {"name": NAMES}
RELEASE_MAX = 120  # characters that tell releases apart


def taggers() -> list[Tagger]:
    names = Tagging(columns=("name",), keys=lambda name: (name,), wanted=WANTED[0])
    plain = [
        Tagger(namespace=namespace, version=VERSION, tagging=_tagging(wanted))
        for namespace, wanted in zip((BY_TYPE, BY_NAME), WANTED, strict=True)
    ]
    ruled = [
        Tagger(namespace=namespace, version=VERSION, tagging=_tagging(wanted), kind=GROUPING)
        for namespace, wanted in zip((RULED_BY_TYPE, RULED_BY_NAME), WANTED, strict=True)
    ]
    return [*plain, *ruled, Tagger(namespace=EVENT_NAMES, version=VERSION, tagging=lambda _: names)]


def _tagging(wanted: dict[str, frozenset[str]]) -> Callable[[Grouping | None], Tagging]:
    def of(grouping: Grouping | None) -> Tagging:
        def keys(kind: str, name: str, release: str | None, properties: str | None) -> Sequence[str]:
            if kind == TYPE and wanted is not WANTED[0]:
                return ()
            return (f"{key_of(failure(name, properties), grouping)}@{(release or '')[:RELEASE_MAX]}",)

        return Tagging(columns=("type", "name", "release", "properties"), keys=keys, wanted=wanted)

    return of


class Counted(NamedTuple):
    """By which rules a project's errors are counted now."""

    namespaces: tuple[str, str]
    prefix: str  # of keys in the index
    grouping: Grouping | None
    pending: str = ""  # what people should know while it is being counted

    def split(self, key: str) -> tuple[str, str] | None:
        """The issue's key and the release, "" for none, of a key in the index; None where it is of other rules."""
        if not key.startswith(self.prefix):
            return None
        issue, _, release = key[len(self.prefix) :].partition("@")
        return issue, release


def counted(reader: Reader, project: str, definitions: Definitions) -> Counted:
    """Rules take effect once all errors are counted by them."""
    pending = ""
    for defined in definitions.of(project, GROUPING)[:1]:
        share = min(reader.tagged(project, each, defined.id) for each in (RULED_BY_TYPE, RULED_BY_NAME))
        if share >= 1:
            return Counted((RULED_BY_TYPE, RULED_BY_NAME), f"{defined.id}/", defined.value)
        pending = f"The rules of grouping take effect when all errors are counted by them: {int(share * 100)}% so far."
    share = min(reader.tagged(project, each) for each in (BY_TYPE, BY_NAME, EVENT_NAMES))
    if share < 1 and reader.environments(project):  # else there are no events
        pending = f"Still counting: the index has gone through {int(share * 100)}% of the events."
    return Counted((BY_TYPE, BY_NAME), "", None, pending)


def event_names(reader: Reader, project: str) -> list[str] | None:
    """The names that error events have; None where they cannot be told."""
    names = {seen.key for seen in reader.seen(project, EVENT_NAMES)}
    return None if any(len(name) >= KEY_MAX for name in names) else sorted(names | NAMES)
