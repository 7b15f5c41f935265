"""Which groups of the rail start closed: those that a project has no data for, and those that somebody closed."""

from collections.abc import Iterable
from typing import Any
from urllib.parse import parse_qsl

from saastracker.contracts import Reader, ReportPage

COOKIE = "saastracker_rail"  # written by rail.js: `Games=open&Web=closed`
LOOK_MS = 60_000  # between two looks for the first data of a group


class Filled:
    """The sections that projects have data for, as the readers of reports found them. Safe in threads.

    Only a section whose reports all name what counts their events can be without data.
    """

    def __init__(self, pages: Iterable[ReportPage]) -> None:
        of_section: dict[str, list[ReportPage]] = {}
        for page in pages:
            of_section.setdefault(page.section, []).append(page)
        self._namespaces = {
            section: {namespace for page in pages for namespace in page.tagged}
            for section, pages in of_section.items()
            if all(page.tagged for page in pages)
        }
        self._filled: set[tuple[str, str]] = set()  # projects and sections; what had data once stays
        self._looked: dict[str, int] = {}  # when, by project

    def look(self, reader: Reader, project: str, now: int) -> None:
        """Take a look, unless there was one just before or nothing is left to find."""
        left = [section for section in self._namespaces if (project, section) not in self._filled]
        if not left or now - self._looked.get(project, 0) < LOOK_MS:
            return
        self._looked[project] = now
        for section in left:
            if any(reader.seen(project, namespace) for namespace in self._namespaces[section]):
                self._filled.add((project, section))

    def empty(self, project: str) -> set[str]:
        """Sections without data; none of a project that no report was read of yet."""
        if project not in self._looked:
            return set()
        return {section for section in self._namespaces if (project, section) not in self._filled}


def closed(filled: Filled, cookie: str, values: dict[str, Any]) -> set[str]:
    """The sections that start closed on a page with these values; never the one that it belongs to."""
    project = values.get("project")
    said = dict(parse_qsl(cookie))
    found = filled.empty(project.id) if project else set()
    found = {section for section in found if said.get(section) != "open"}
    found |= {section for section, state in said.items() if state == "closed"}
    report = values.get("report")
    return found - {report.section} if report else found
