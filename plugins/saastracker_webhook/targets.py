"""Where a webhook leads: its address taken apart, and which network addresses may be called for it."""

import ipaddress
import socket
from collections.abc import Sequence
from typing import NamedTuple, TypeAlias
from urllib.parse import urlsplit

from saastracker.errors import Invalid, Refusal, Unavailable

PORTS = {"https": 443, "http": 80}
METADATA = frozenset({"168.63.129.16", "192.0.0.192"})  # of clouds; the others are link-local or private anyway
NAT64 = ipaddress.ip_network("64:ff9b::/96")

IP: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address


class Target(NamedTuple):
    """An address taken apart."""

    url: str
    secure: bool
    host: str
    port: int
    path: str  # with its query


def read(url: str, *, http: bool) -> Target:
    """Raises Invalid that says what an address has to look like."""
    try:
        parts = urlsplit(url)
        port = parts.port or PORTS.get(parts.scheme, 0)
    except ValueError:
        raise _wrong("It cannot be read.") from None
    if not (url.isascii() and url.isprintable()) or " " in url or "\\" in url:
        raise _wrong("Write other characters than ASCII as %XX, names of hosts as xn--….")
    if parts.scheme == "http" and not http:
        raise _wrong("It has to begin with https://; plugin.webhook.allow_http lets http:// pass.")
    if parts.scheme not in PORTS or not parts.hostname:
        raise _wrong("It has to look like https://example.com/hook.")
    if parts.username is not None or parts.password is not None or parts.fragment:
        raise _wrong("It may hold no login and no #; what it is signed with says who sends.")
    path = f"{parts.path or '/'}{'?' if parts.query else ''}{parts.query}"
    return Target(url, parts.scheme == "https", parts.hostname, port, path)


def addresses(target: Target, *, private: bool) -> Sequence[str]:
    """The network addresses of its host.

    Raises Unavailable if there are none now, Refusal if one of them is not public, unless `private` ones are allowed.
    """
    try:
        found = socket.getaddrinfo(target.host, target.port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise Unavailable(f"The host {target.host[:100]} cannot be found.", reason="address") from None
    ips = list(dict.fromkeys(str(each[4][0]) for each in found))
    if not private and not all(is_public(ipaddress.ip_address(ip)) for ip in ips):
        raise Refusal(
            f"The host {target.host[:100]} is not on the public internet; plugin.webhook.allow_private lets it pass.",
            reason="address",
        )
    return ips


def is_public(ip: IP) -> bool:
    """Whether an address belongs to nobody's own network, and embeds none that does."""
    if isinstance(ip, ipaddress.IPv6Address):
        if ip in NAT64:
            return is_public(ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF))
        if ip.ipv4_mapped or ip.sixtofour or ip.teredo or ip.is_site_local:
            return False
    special = ip.is_private or ip.is_loopback or ip.is_link_local or ip.is_multicast or ip.is_reserved
    return ip.is_global and not special and not ip.is_unspecified and str(ip) not in METADATA


def _wrong(detail: str) -> Invalid:
    return Invalid(f"This is no address for a webhook. {detail}", reason="address")
