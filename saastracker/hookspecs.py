"""The hooks, one sentence each: all are called once, at start, and answer with values."""

from collections.abc import Mapping, Sequence

import pluggy

from saastracker.channel import Channel
from saastracker.contracts import Config, RecordStoreFactory, ReportPage, Setups, StoreFactory
from saastracker.definition import Definition, Definitions
from saastracker.job import Job
from saastracker.resting import DatabaseFactory
from saastracker.tagger import Tagger
from saastracker.told import Memory
from saastracker.wire import AuthScheme, Enricher, Projects, WireFormat

hookspec = pluggy.HookspecMarker("saastracker")
hookimpl = pluggy.HookimplMarker("saastracker")


@hookspec
def auth_schemes(config: Config, projects: Projects) -> Sequence[AuthScheme] | None:
    """Ways of proving who sends."""


@hookspec
def wire_formats(config: Config) -> Sequence[WireFormat] | None:
    """Request bodies the server understands, with their default paths."""


@hookspec
def enrichers(config: Config, definitions: Definitions) -> Sequence[Enricher] | None:
    """Steps that add to, or drop, a request's events before they are stored."""


@hookspec
def stores(config: Config) -> Mapping[str, StoreFactory] | None:
    """Places that keep events, by the name that `[storage] backend` takes."""


@hookspec
def record_stores(config: Config) -> Mapping[str, RecordStoreFactory] | None:
    """Places that keep small facts: projects, keys, definitions."""


@hookspec
def databases(config: Config) -> Mapping[str, DatabaseFactory] | None:
    """What looks after a store's database while nothing has it open, by the name of the store.

    It tells upgrades in advance and puts backups back.
    """


@hookspec
def reports(config: Config, definitions: Definitions, setups: Setups, memory: Memory) -> Sequence[ReportPage] | None:
    """Pages that answer a question about a project's events.

    `definitions` and `setups` are live views of what projects have defined, and of their keys and members;
    `memory` knows the names and traits of people and organizations.
    """


@hookspec
def taggers(config: Config) -> Sequence[Tagger] | None:
    """What the index counts beside the columns of events: keys that code, or each definition of a kind, gives them."""


@hookspec
def definitions(config: Config) -> Sequence[Definition] | None:
    """Kinds of settings that projects have: each gets an API, versions and an audit trail.

    It also gets a form, made from its struct; `msgspec.Meta(title=…, description=…)` words a field.
    """


@hookspec
def jobs(config: Config) -> Sequence[Job] | None:
    """Work that runs by itself or when asked; the notices it hands back go to those who follow its topic."""


@hookspec
def channels(config: Config) -> Sequence[Channel] | None:
    """Ways to reach people and programs with those notices."""
