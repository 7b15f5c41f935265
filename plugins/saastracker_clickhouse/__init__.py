"""Events in ClickHouse; all else, the index of them too, in the database of small facts."""

from collections.abc import Mapping
from typing import Annotated, Literal

import msgspec

from saastracker.contracts import Config, RecordStore, Store, StoreFactory
from saastracker.hookspecs import hookimpl
from saastracker_clickhouse.rows import ClickHouseRows


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """`[plugin.clickhouse]`."""

    url: Annotated[
        str,
        msgspec.Meta(
            description="`http://USER:PASSWORD@HOST:8123`, `https://…`, or, for the engine within the server, "
            "`chdb:///FOLDER`"
        ),
    ] = "http://localhost:8123"
    records: Annotated[
        Literal["sqlite", "postgres"],
        msgspec.Meta(description="what keeps all but the events: `postgres` for several servers"),
    ] = "sqlite"
    database: Annotated[
        str, msgspec.Meta(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$", description="made if it is not there")
    ] = "saastracker"
    cluster: Annotated[
        str,
        msgspec.Meta(
            pattern=r"^([A-Za-z_][A-Za-z0-9_]*)?$", description="the cluster's name in ClickHouse's `remote_servers`"
        ),
    ] = ""


@hookimpl
def stores(config: Config) -> Mapping[str, StoreFactory]:
    settings = config.plugin("clickhouse", Settings)

    def open_store(records: RecordStore) -> Store:
        return records.store(ClickHouseRows(settings.url, database=settings.database, cluster=settings.cluster))

    return {"clickhouse": open_store}
