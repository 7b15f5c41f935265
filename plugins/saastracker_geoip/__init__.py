"""The country of an address, from a MaxMind database that the operator provides."""

from collections.abc import Sequence
from functools import lru_cache
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated

import maxminddb
import msgspec

from saastracker.contracts import Config
from saastracker.errors import OperatorError
from saastracker.event import Event
from saastracker.hookspecs import hookimpl
from saastracker.wire import Enricher, Project, Sender

CACHED = 10_000  # addresses


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`[plugin.geoip]`"""

    database: Annotated[
        str,
        msgspec.Meta(
            description="path of a `.mmdb` file with countries, absolute or within the data folder; empty: no countries"
        ),
    ] = ""


class Countries:
    """Fills country, an ISO 3166-1 code; addresses that the database does not know, private ones too, have none."""

    name = "geoip"

    def __init__(self, path: Path) -> None:
        self._database = _open(path)
        self._country = lru_cache(CACHED)(self._look_up)

    def enrich(self, events: Sequence[Event], project: Project, sender: Sender, address: str | None) -> None:  # noqa: ARG002
        for event in events:
            if whose := event.address or address:
                event.country = self._country(whose)

    def _look_up(self, address: str) -> str | None:
        try:
            record = self._database.get(ip_address(address))
        except (ValueError, maxminddb.InvalidDatabaseError):  # no address, or IPv6 in a database of IPv4
            return None
        country = record.get("country") if isinstance(record, dict) else None
        code = country.get("iso_code") if isinstance(country, dict) else None
        return code if isinstance(code, str) and len(code) == 2 else None


def _open(path: Path) -> maxminddb.Reader:
    try:
        return maxminddb.open_database(path)
    except (OSError, maxminddb.InvalidDatabaseError) as error:
        raise OperatorError(
            f"plugin.geoip.database: cannot read {path} ({error}); type the path of a country database in "
            f'MaxMind\'s format, such as database = "/var/lib/GeoIP/GeoLite2-Country.mmdb", or "" for no countries'
        ) from None


@hookimpl
def enrichers(config: Config) -> list[Enricher]:
    database = config.plugin("geoip", Settings).database
    return [Countries(config.data / Path(database).expanduser())] if database else []
