"""Every hook of saastracker once; copy this package and keep the hooks you need."""

from collections.abc import Mapping, Sequence

import msgspec

from saastracker import (
    AuthScheme,
    Channel,
    Config,
    Daily,
    DatabaseFactory,
    Definition,
    Digest,
    Enricher,
    Job,
    Projects,
    RecordStoreFactory,
    ReportPage,
    StoreFactory,
    Tagger,
    Topic,
    WireFormat,
    hookimpl,
)
from saastracker_example.basic import Basic
from saastracker_example.busiest import busiest
from saastracker_example.goals import Goal, check_goal, check_goals, preview_goal, tag_goal
from saastracker_example.internal import Internal
from saastracker_example.journal import Journal
from saastracker_example.ndjson import Ndjson


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """`[plugin.example]`; every field needs a default."""

    internal: tuple[str, ...] = ()  # organizations whose events are not kept


@hookimpl
def auth_schemes(projects: Projects) -> Sequence[AuthScheme]:
    return [Basic(projects)]


@hookimpl
def wire_formats() -> Sequence[WireFormat]:
    return [Ndjson()]


@hookimpl
def enrichers(config: Config) -> Sequence[Enricher]:
    settings = config.plugin("example", Settings)
    return [Internal(settings.internal)] if settings.internal else []


@hookimpl
def reports() -> Sequence[ReportPage]:
    return [
        ReportPage(
            slug="busiest",
            title="Busiest organizations",
            section="Customers",
            about="Which organizations send most events.",
            load=busiest,
            digest=Digest(blocks={"organizations": "Busiest organizations"}),
        )
    ]


@hookimpl
def definitions() -> Sequence[Definition]:
    return [Definition(kind="goal", title="Goals", struct=Goal, check=check_goal, preview=preview_goal)]


@hookimpl
def jobs() -> Sequence[Job]:
    topic = Topic(title="Missed goals", default="member")
    return [
        Job(
            name="goals",
            title="Tell of missed goals",
            trigger=Daily(hour=6, each_project=True),
            run=check_goals,
            topic=topic,
        )
    ]


@hookimpl
def channels(config: Config) -> Sequence[Channel]:
    return [Journal(config.data)]


@hookimpl
def taggers() -> Sequence[Tagger]:
    return [Tagger(namespace="goal", version=1, tagging=tag_goal, kind="goal")]


@hookimpl
def stores() -> Mapping[str, StoreFactory] | None:
    """None: nothing to offer. A plugin that keeps events answers {"mine": lambda records: MyStore()}."""
    return None


@hookimpl
def record_stores() -> Mapping[str, RecordStoreFactory] | None:
    """None: nothing to offer. A plugin that keeps projects and keys answers {"mine": lambda: MyRecords()}."""
    return None


@hookimpl
def databases() -> Mapping[str, DatabaseFactory] | None:
    """None: nothing to offer. A plugin whose store keeps files answers {"mine": lambda: MyDatabase()}."""
    return None
