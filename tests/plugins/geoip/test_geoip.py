"""Countries of addresses, from a database made here."""

import struct
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from saastracker.config import load_config
from saastracker.errors import OperatorError
from saastracker.event import Event
from saastracker.testing import PROJECT
from saastracker_geoip import Countries, enrichers

MARKER = b"\xab\xcd\xefMaxMind.com"


def database(networks: dict[str, Any], ip_version: int = 6) -> bytes:
    """A file as https://maxmind.github.io/MaxMind-DB/ says, of networks such as `192.0.2.0/24` and their records."""
    nodes: list[list[tuple[int, ...]]] = [[(), ()]]  # two sides each: () nothing, (node,) or (0, offset of data)
    data = b""
    for text, record in networks.items():
        network = ip_network(text)
        width = 32 if ip_version == 4 else 128
        length = network.prefixlen + (width - network.max_prefixlen)  # IPv4 lies at ::/96
        bits = f"{int(network.network_address):0{width}b}"[:length]
        node = 0
        for bit in bits[:-1]:
            side = nodes[node][int(bit)]
            if not side:
                nodes.append([(), ()])
                side = nodes[node][int(bit)] = (len(nodes) - 1,)
            (node,) = side
        nodes[node][int(bits[-1])] = (0, len(data))
        data += _value(record)
    tree = b"".join(_side(side, len(nodes)) for node in nodes for side in node)
    metadata = {
        "binary_format_major_version": _uint16(2),
        "binary_format_minor_version": _uint16(0),
        "build_epoch": b"\x08\x02" + struct.pack(">Q", 1_700_000_000),
        "database_type": "Test-Country",
        "description": {},
        "ip_version": _uint16(ip_version),
        "languages": [],
        "node_count": len(nodes),
        "record_size": _uint16(24),
    }
    return tree + bytes(16) + data + MARKER + _value(metadata)


def _side(side: tuple[int, ...], count: int) -> bytes:
    match side:
        case ():
            number = count  # nothing is known
        case (node,):
            number = node
        case (_, offset):
            number = count + 16 + offset
    return number.to_bytes(3)


def _uint16(number: int) -> bytes:
    return bytes([5 << 5 | 2]) + struct.pack(">H", number)


def _value(value: Any) -> bytes:
    """A record's value as the format writes it; bytes are written already."""
    match value:
        case bytes():
            return value
        case dict():
            return bytes([7 << 5 | len(value)]) + b"".join(_value(key) + _value(item) for key, item in value.items())
        case str():
            return bytes([2 << 5 | len(value)]) + value.encode()
        case list():
            return bytes([len(value), 11 - 7]) + b"".join(map(_value, value))
        case int():
            return bytes([6 << 5 | 4]) + struct.pack(">I", value)
    raise TypeError(value)


NETWORKS = {
    "192.0.2.0/24": {"country": {"iso_code": "DE", "names": {"en": "Germany"}}},
    "198.51.100.7/32": {"country": {"iso_code": "FR"}},
    "2001:db8::/32": {"country": {"iso_code": "NZ"}},
    "203.0.113.0/26": {"continent": {"code": "EU"}},
    "203.0.113.64/26": {"country": "DE"},
    "203.0.113.128/26": {"country": {"iso_code": "DEU"}},
    "203.0.113.192/26": "DE",
}


@pytest.fixture(scope="module")
def countries(tmp_path_factory: pytest.TempPathFactory) -> Countries:
    file = tmp_path_factory.mktemp("geoip") / "countries.mmdb"
    file.write_bytes(database(NETWORKS))
    return Countries(file)


def country(countries: Countries, address: str | None) -> str | None:
    event = Event(name="a")
    countries.enrich([event], PROJECT, "browser", address)
    return event.country


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("192.0.2.0", "DE"),
        ("192.0.2.255", "DE"),
        ("192.0.3.0", None),
        ("198.51.100.7", "FR"),
        ("198.51.100.8", None),
        ("2001:db8::1", "NZ"),
        ("2001:db9::1", None),
        ("203.0.113.1", None),
        ("203.0.113.65", None),
        ("203.0.113.129", None),
        ("203.0.113.193", None),
        ("10.0.0.1", None),
        ("127.0.0.1", None),
        ("::1", None),
        ("", None),
        ("unknown", None),
        ("2001:db8::1%eth0", "NZ"),
        ("192.0.2.1\0", None),
        ("192.0.2.1:8080", None),
        ("192.0.2.1, 10.0.0.1", None),
        (None, None),
    ],
)
def test_the_country_of_an_address(countries: Countries, address: str | None, expected: str | None) -> None:
    assert country(countries, address) == expected


def test_an_event_may_name_its_visitors_address(countries: Countries) -> None:
    events = [Event(name="a", address="198.51.100.7"), Event(name="b")]
    countries.enrich(events, PROJECT, "server", None)
    assert [event.country for event in events] == ["FR", None]
    countries.enrich(events, PROJECT, "browser", "192.0.2.1")
    assert [event.country for event in events] == ["FR", "DE"]


@given(st.text(max_size=50))
def test_any_text_is_looked_up_without_fail(countries: Countries, text: str) -> None:
    country(countries, text)


def test_a_database_of_ipv4_knows_nothing_of_ipv6(tmp_path: Path) -> None:
    file = tmp_path / "countries.mmdb"
    file.write_bytes(database({"192.0.2.0/24": NETWORKS["192.0.2.0/24"]}, ip_version=4))
    countries = Countries(file)
    assert country(countries, "192.0.2.1") == "DE"
    assert country(countries, "2001:db8::1") is None


def test_a_damaged_record_is_no_country(tmp_path: Path) -> None:
    file = tmp_path / "countries.mmdb"
    file.write_bytes(database(NETWORKS).replace(b"iso_code", b"\xff" * 8))
    assert country(Countries(file), "192.0.2.1") is None


def _configured(folder: Path, database: str) -> list[Countries]:
    file = folder / "config.toml"
    file.write_text(f"[plugin.geoip]\ndatabase = {database!r}\n")
    return [each for each in enrichers(load_config(file, folder)) if isinstance(each, Countries)]


def test_without_a_database_it_offers_nothing(tmp_path: Path) -> None:
    assert enrichers(load_config(None, tmp_path)) == []
    assert _configured(tmp_path, "") == []


@pytest.mark.parametrize("absolute", [True, False])
def test_the_path_may_be_within_the_data_folder(tmp_path: Path, absolute: bool) -> None:
    file = tmp_path / "countries.mmdb"
    file.write_bytes(database(NETWORKS))
    (countries,) = _configured(tmp_path, str(file) if absolute else file.name)
    assert country(countries, "192.0.2.1") == "DE"


@pytest.mark.parametrize("content", [None, b"", b"no database", database(NETWORKS)[:100]])
def test_a_database_that_cannot_be_read_stops_the_start(tmp_path: Path, content: bytes | None) -> None:
    if content is not None:
        (tmp_path / "countries.mmdb").write_bytes(content)
    with pytest.raises(OperatorError, match=r"^plugin\.geoip\.database: cannot read .*countries\.mmdb") as refused:
        _configured(tmp_path, "countries.mmdb")
    assert 'database = "/var/lib/GeoIP/GeoLite2-Country.mmdb"' in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_folder_is_no_database(tmp_path: Path) -> None:
    with pytest.raises(OperatorError, match="cannot read"):
        _configured(tmp_path, ".")
