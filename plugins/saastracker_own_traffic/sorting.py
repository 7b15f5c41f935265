"""Own traffic: by which addresses, people and hosts it is known."""

import re
from collections.abc import Iterable
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Annotated, Any, TypeAlias

import msgspec

from saastracker.errors import Invalid
from saastracker.event import NAME_MAX, Event

MOST = 200  # of each sort
CACHED = 10_000  # addresses

Line: TypeAlias = Annotated[str, msgspec.Meta(min_length=1, max_length=NAME_MAX)]

_DOMAIN = re.compile(r"(?:[a-z0-9_-]+\.)*[a-z0-9_-]+", re.IGNORECASE)


class OwnTraffic(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whose events are left out. A project has at most one; should there be more, the oldest counts."""

    addresses: Annotated[
        tuple[Line, ...],
        msgspec.Meta(
            max_length=MOST,
            title="IP addresses and networks",
            description="Such as 203.0.113.7 or 2001:db8::/32, of browsers and apps. What is left out is answered as "
            "accepted and only counted: as own_traffic in the live stream.",
            extra_json_schema={"format": "client-address"},
        ),
    ] = ()
    users: Annotated[
        tuple[Line, ...], msgspec.Meta(max_length=MOST, title="User ids", description="As events carry them.")
    ] = ()
    email_domains: Annotated[
        tuple[Line, ...],
        msgspec.Meta(
            max_length=MOST,
            title="E-mail domains",
            description="Such as example.com: of user ids that are e-mails, and of the trait email.",
        ),
    ] = ()
    hosts: Annotated[
        tuple[Line, ...],
        msgspec.Meta(
            max_length=MOST,
            description="Of the pages that send: localhost, staging.example.com, *.preview.example.com.",
        ),
    ] = ()


def check(own: OwnTraffic) -> None:
    """Raises Invalid that names the line."""
    for place, text in enumerate(own.addresses):
        if (network := _network(text)) is None:
            raise Invalid(f"$.addresses[{place}]: Expected an address or network, such as 203.0.113.7 or 10.0.0.0/8")
        if network.prefixlen == 0:
            raise Invalid(f"$.addresses[{place}]: This is everyone; expected a smaller network")
    for place, text in enumerate(own.email_domains):
        if "." not in text or not _DOMAIN.fullmatch(text):
            raise Invalid(f"$.email_domains[{place}]: Expected a domain, such as example.com")
    for place, text in enumerate(own.hosts):
        if not _DOMAIN.fullmatch(text.removeprefix("*.")):
            raise Invalid(f"$.hosts[{place}]: Expected a host without https:// and port, such as staging.example.com")


def _network(text: str) -> IPv4Network | IPv6Network | None:
    try:
        return ip_network(text, strict=False)
    except ValueError:
        return None


class _User(msgspec.Struct, frozen=True):
    email: Any = None


class _Traits(msgspec.Struct):
    user: _User = _User()


_traits = msgspec.json.Decoder(_Traits)


class Sieve:
    """The own traffic of one project, ready for use."""

    def __init__(self, own: OwnTraffic) -> None:
        self._networks = [network for text in own.addresses if (network := _network(text)) is not None]
        self._users = frozenset(own.users)
        self._domains = frozenset(text.lower() for text in own.email_domains)
        self._hosts = frozenset(text.lower() for text in own.hosts if not text.startswith("*."))
        self._below = tuple(text[1:].lower() for text in own.hosts if text.startswith("*."))
        self._known = lru_cache(CACHED)(self._is_near)

    def is_own(self, event: Event, address: str | None) -> bool:
        """Whether an event that came from `address`, if that says anything, is own traffic."""
        whose = event.address or address
        if whose is not None and self._networks and self._known(whose):
            return True
        if event.host is not None and (event.host in self._hosts or event.host.endswith(self._below)):
            return True
        return self.is_person(event.user) or bool(self._domains and self._of_domain(_emails(event.traits)))

    def is_person(self, user: str | None) -> bool:
        """Whether a user id is of one's own people."""
        return user is not None and (user in self._users or self._of_domain([user]))

    def _is_near(self, address: str) -> bool:
        try:
            parsed = ip_address(address)
        except ValueError:
            return False
        if isinstance(parsed, IPv6Address):  # what a socket for both families calls an IPv4 peer
            parsed = parsed.ipv4_mapped or parsed
        return any(parsed in network for network in self._networks)

    def _of_domain(self, emails: Iterable[str]) -> bool:
        return any("@" in email and email.rpartition("@")[2].lower() in self._domains for email in emails)


def _emails(traits: str | None) -> list[str]:
    if traits is None or "@" not in traits:
        return []
    try:
        email = _traits.decode(traits).user.email
    except msgspec.ValidationError:  # a user that is no object
        return []
    return [email] if isinstance(email, str) else []
