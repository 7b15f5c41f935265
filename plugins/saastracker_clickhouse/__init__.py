"""Events in ClickHouse; all else, the index of them too, in the database of small facts."""

from collections.abc import Mapping
from typing import Annotated, Literal

import msgspec

from saastracker.contracts import Config, RecordStore, Store, StoreFactory
from saastracker.hookspecs import hookimpl
from saastracker_clickhouse.rows import ClickHouseRows

_NAME = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")]


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """`[plugin.clickhouse]`."""

    url: str = "http://localhost:8123"  # or chdb:///FOLDER, the engine within this process
    records: Literal["sqlite", "postgres"] = "sqlite"  # what keeps all but the events
    database: _NAME = "saastracker"
    cluster: Annotated[str, msgspec.Meta(pattern=r"^([A-Za-z_][A-Za-z0-9_]*)?$")] = ""  # as the servers name it


@hookimpl
def stores(config: Config) -> Mapping[str, StoreFactory]:
    settings = config.plugin("clickhouse", Settings)

    def open_store(records: RecordStore) -> Store:
        return records.store(ClickHouseRows(settings.url, database=settings.database, cluster=settings.cluster))

    return {"clickhouse": open_store}
