"""The default store: events and small facts in one SQLite file."""

from collections.abc import Mapping
from typing import Annotated

import msgspec

from saastracker.contracts import Config, RecordStoreFactory, StoreFactory
from saastracker.hookspecs import hookimpl
from saastracker.resting import DatabaseFactory
from saastracker_sqlite.records import SqliteRecords
from saastracker_sqlite.resting import SqliteDatabase
from saastracker_sqlite.store import SqliteStore


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """`[plugin.sqlite]`."""

    path: Annotated[str, msgspec.Meta(description="the database, relative to the data folder")] = "saastracker.db"
    cache_mb: Annotated[
        int, msgspec.Meta(ge=1, le=65536, description="MiB of pages that the writer keeps in memory")
    ] = 16


@hookimpl
def stores(config: Config) -> Mapping[str, StoreFactory]:
    settings = config.plugin("sqlite", Settings)
    return {"sqlite": lambda _: SqliteStore(config.data / settings.path, cache_mb=settings.cache_mb)}


@hookimpl
def record_stores(config: Config) -> Mapping[str, RecordStoreFactory]:
    settings = config.plugin("sqlite", Settings)
    return {"sqlite": lambda: SqliteRecords(config.data / settings.path)}


@hookimpl
def databases(config: Config) -> Mapping[str, DatabaseFactory]:
    settings = config.plugin("sqlite", Settings)
    return {"sqlite": lambda: SqliteDatabase(config.data / settings.path)}
