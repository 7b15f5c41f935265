"""What there is to do at first."""

from typing import NamedTuple

from saastracker.contracts import Reader, Setup
from saastracker.definition import Definitions
from saastracker.report import Block, Column, Note, Table
from saastracker.scope import Scope

COLUMNS = (
    Column("step", "Step", link="{page}"),
    Column("state", "State", "tag"),
    Column("how", "How", link="/settings/{settings}?workspace={workspace}"),
    Column("go", "Where", "text", "never"),
    Column("page", "Page", "code", "never"),
    Column("settings", "Settings", "code", "never"),
    Column("workspace", "Workspace", "code", "never"),
)
NOTHING = Note(
    key="waiting",
    title="Nothing received yet",
    text="Reports fill in within a minute of the first event.",
    begins=True,
)

COUNTING = Note(
    key="waiting", title="The first event is here", text="It is being counted; reports show it within a minute."
)


class Step(NamedTuple):
    name: str
    done: bool
    how: str
    go: str = ""  # what the button says that leads there
    page: str | None = None  # the report where to do it
    settings: str | None = None  # the page of settings


def received(reader: Reader, project: str) -> bool:
    """Whether there is any event, whether the index has it or not."""
    return bool(reader.query("SELECT 1 FROM events WHERE project = :project LIMIT 1", project=project))


def checklist(definitions: Definitions, setup: Setup, scope: Scope, *, received: bool) -> list[Block]:
    """The steps, until all of them are done."""
    steps = (
        Step("Make a project", True, "This is it."),
        Step(
            "Make a key",
            setup.keys > 0,
            "The settings of the project make one, and show its secret once.",
            "Open projects",
            settings="projects",
        ),
        Step("Send a first event", received, "Copy the code in your language and run it.", "See the code", "stream"),
        Step(
            "Define a feature",
            bool(definitions.of(scope.project, "feature")),
            "Name what customers should use, and the events that prove it. Adoption and health build on this.",
            "Define features",
            "adoption",
        ),
        Step(
            "Invite a teammate",
            setup.members + setup.invited > 1,
            "They get a link that works once.",
            "Invite",
            settings="members",
        ),
    )
    if all(step.done for step in steps):
        return []
    rows = [
        [step.name, "done" if step.done else "open", step.how, step.go, step.page, step.settings, setup.workspace]
        for step in steps
    ]
    return [Table(key="start", title="Get started", columns=COLUMNS, rows=rows, chart="checklist")]
