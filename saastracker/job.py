"""Job: work that runs by itself or when asked, and the notices it hands back."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager

import msgspec

from saastracker.contracts import Reader
from saastracker.definition import NAME, Definitions
from saastracker.roles import Role
from saastracker.wire import Project


class Topic(msgspec.Struct, frozen=True, kw_only=True):
    """What notices are about, for people who choose what they want to hear of."""

    title: str  # "New and returning errors"
    needed: Role = "viewer"  # who may hear of it at all
    default: Role | None = None  # who hears of it without having chosen; None: nobody
    grouped: bool = True  # whether notices that come together make one message, and only a few messages go out an hour


class Every(msgspec.Struct, frozen=True):
    """Again and again; for a job that was due while the server was off, at its start."""

    seconds: float

    def __post_init__(self) -> None:
        if self.seconds < 1:
            raise ValueError("a job runs at most once a second")


class Daily(msgspec.Struct, frozen=True):
    """Once a day, at a time of day in the server's zone; a day missed while the server was off is caught up once.

    With `each_project` in the zone of each project: a run is given those for which it is time.
    """

    hour: int
    minute: int = 0
    each_project: bool = False

    def __post_init__(self) -> None:
        if not (0 <= self.hour < 24 and 0 <= self.minute < 60):
            raise ValueError(f"there is no time of day {self.hour}:{self.minute:02}")


class Notice(msgspec.Struct, frozen=True, kw_only=True):
    """Something that people of a project, or of a whole workspace, should hear of, once."""

    project: str = ""  # id
    workspace: str = ""  # id; where there is no project
    key: str  # what it is about and when, such as `goal-4711-2026-05-06`: with the same key nothing is told again
    title: str  # one line
    text: str
    link: str = ""  # a page about it: `errors/4711` of the project, `settings/usage` of the workspace
    html: str = ""  # the text with more to look at, as an HTML fragment of trusted parts


class JobContext(msgspec.Struct, frozen=True, kw_only=True):
    """What a run of a job is given."""

    now: int  # when it began
    projects: Sequence[Project]  # those that are active, and for which it is time
    definitions: Definitions
    reader: Callable[[], AbstractContextManager[Reader]]  # each sees one state of the store; waits for a whole index
    # Told how much is done and of how much, in any unit. Of jobs that run often, runs without it and without
    # notices are not kept one by one.
    progress: Callable[[int, int], None]
    cancelled: Callable[[], bool]  # the server stops: return within a second or two


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """Work beside the requests, on a thread of its own; never two runs of a job at once.

    `run` reads and returns; what it hands back is queued for the channels. An exception ends this
    run only: it is logged and recorded. Raises ValueError for a wrong name.
    """

    name: str  # as addresses name it: `goals`
    title: str
    trigger: Every | Daily | None  # None: only when asked
    run: Callable[[JobContext], Sequence[Notice]]
    topic: Topic | None = None  # of its notices; None: it hands back none

    def __post_init__(self) -> None:
        if not NAME.fullmatch(self.name):
            raise ValueError(f"job {self.name!r}: use lower-case letters, digits and hyphens")
