"""How long events are kept, over the API: what goes tonight, how a project grows, and whom to erase."""

from contextlib import suppress
from typing import Annotated

import msgspec
from msgspec import Meta

from saastracker.erasable import Of, Subject
from saastracker.erasures import JOB, mark
from saastracker.errors import Conflict
from saastracker.event import NAME_MAX
from saastracker.retention import LATER_DAYS, forecast
from saastracker.web.api.fields import KeepDays, Time
from saastracker.web.api.operation import Call, operation
from saastracker.web.faces import iso

TAG = "Keeping"

Count = Annotated[int, Meta(ge=0)]
Bytes = Annotated[int, Meta(ge=0, description="About: the project's share of the database.")]
Marked = Annotated[
    str,
    Meta(
        description="What the audit log names them by: a hash of project and id.",
        examples=["77f8dfacb66007dd"],
    ),
]


class Later(msgspec.Struct, frozen=True, kw_only=True):
    """The size after some time, if events keep coming as in the last 30 days."""

    days: Count
    bytes: Bytes


class ForecastShown(msgspec.Struct, frozen=True, kw_only=True):
    """What a project has, what the next night erases of it, and how it grows."""

    keep_days: KeepDays | None
    events: Count
    bytes: Bytes
    oldest: Annotated[str, Meta(description="The first local day that has events.")] | None
    going_events: Annotated[int, Meta(ge=0, description="Events that the next night erases.")]
    going_days: Count
    going_bytes: Bytes
    daily_bytes: Annotated[int, Meta(ge=0, description="That come, by the last 30 days.")]
    later: list[Later]
    database_bytes: (
        Annotated[int, Meta(ge=0, description="Of all projects of the server; null: one is no admin.")] | None
    )


class ErasureNew(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whom to erase."""

    of: Annotated[Of, Meta(description="A person or an organization.")]
    id: Annotated[
        str,
        Meta(
            min_length=1,
            max_length=NAME_MAX,
            description="User id or anonymous id, or id of the organization, as reports name it.",
        ),
    ]


class ErasureShown(msgspec.Struct, frozen=True, kw_only=True):
    """An erasure that was asked for; done when it is no longer listed."""

    of: Of
    record: Marked
    who: Annotated[str, Meta(description="Who asked for it.")]
    asked_at: Time


class ErasureAsked(ErasureShown, frozen=True, kw_only=True):
    """With what it takes away."""

    events: Count
    days: Count
    ids: Annotated[list[str], Meta(description="All ids that name them: those that were joined or merged, too.")]


@operation(TAG, "GET", "/projects/{slug}/forecast", needed="viewer", answer=ForecastShown)
def read_forecast(call: Call) -> ForecastShown:
    """How long a project keeps events, what the next night erases, and how the project grows."""
    site, project = call.site, call.project
    projects = list(site.facts.snapshot.projects.values())
    with site.store.reader() as reader:
        told = forecast(reader, site.store, project, projects, call.now)
    return ForecastShown(
        keep_days=project.keep_days,
        events=told.events,
        bytes=told.bytes,
        oldest=None if told.oldest is None else told.oldest.isoformat(),
        going_events=told.going_events,
        going_days=told.going_days,
        going_bytes=told.going_bytes,
        daily_bytes=told.daily_bytes,
        later=[Later(days=days, bytes=size) for days, size in zip(LATER_DAYS, told.later_bytes, strict=True)],
        database_bytes=site.store.size() if call.caller.may(project, "admin") else None,
    )


@operation(
    TAG, "GET", "/projects/{slug}/erasures", needed="admin", answer=ErasureShown, listed=lambda each: each.asked_at
)
def list_erasures(call: Call) -> list[ErasureShown]:
    """Erasures that are not done yet."""
    erasures = call.site.erasures
    return [
        ErasureShown(of=asked.of, record=mark(erasures.subject(asked)), who=asked.who, asked_at=iso(asked.at))
        for _, asked in erasures.waiting()
        if asked.project == call.project.id
    ]


@operation(TAG, "POST", "/projects/{slug}/erasures", needed="admin", body=ErasureNew, answer=ErasureAsked, status=202)
def erase(call: Call, body: ErasureNew) -> ErasureAsked:
    """Erase a person or an organization, as if they had never been there. It cannot be undone.

    It begins at once and takes a while; 404 where no event names them.
    """
    from saastracker.erasure import amount  # noqa: PLC0415  # numpy, which a server is spared until then

    site, subject = call.site, Subject(call.project.id, body.of, body.id)
    with site.store.reader() as reader:
        found = amount(reader, subject)
    record = site.erasures.ask(subject, call.who)
    with suppress(Conflict):  # a run that goes on takes this one up as well
        site.scheduler.run_now(JOB)
    return ErasureAsked(
        of=body.of,
        record=record,
        who=call.who,
        asked_at=iso(call.now),
        events=found.events,
        days=found.days,
        ids=list(found.ids),
    )
