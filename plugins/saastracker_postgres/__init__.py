"""The store that several servers share: events and small facts in one PostgreSQL database."""

from collections.abc import Mapping
from typing import Annotated

import msgspec

from saastracker.contracts import Config, RecordStoreFactory, StoreFactory
from saastracker.errors import OperatorError
from saastracker.hookspecs import hookimpl
from saastracker.resting import DatabaseFactory
from saastracker_postgres.records import PostgresRecords
from saastracker_postgres.store import PostgresStore


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """`[plugin.postgres]`."""

    url: Annotated[
        str,
        msgspec.Meta(description="the database that servers share: `postgresql://USER:PASSWORD@HOST:5432/DATABASE`"),
    ] = ""

    def checked(self) -> str:
        if not self.url:
            raise OperatorError(
                '[plugin.postgres] has no url: set it, as in url = "postgresql://saastracker:password@host/saastracker"'
            )
        return self.url


@hookimpl
def stores(config: Config) -> Mapping[str, StoreFactory]:
    settings = config.plugin("postgres", Settings)
    return {"postgres": lambda _: PostgresStore(settings.checked())}


@hookimpl
def record_stores(config: Config) -> Mapping[str, RecordStoreFactory]:
    settings = config.plugin("postgres", Settings)
    return {"postgres": lambda: PostgresRecords(settings.checked())}


@hookimpl
def databases(config: Config) -> Mapping[str, DatabaseFactory]:
    from saastracker_postgres.resting import PostgresDatabase  # noqa: PLC0415  # a server never needs it

    settings = config.plugin("postgres", Settings)
    return {"postgres": lambda: PostgresDatabase(settings.checked())}
