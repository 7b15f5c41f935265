"""A client of the Python SDK for each format, with the keys of a server's project."""

from typing import Any

from saastracker_sdk import Nanosights, Owlsignal, Saastracker, Usermaven
from tests.serving import Served

SESSION = "5f2b1c9e-3a44-4a53-9d0e-0f6a1f0f6a1f"


def saastracker(served: Served, **options: Any) -> Saastracker:
    return Saastracker(served.url, environment="staging", **(options | served.keys["hmac"]))


def nanosights(served: Served, **options: Any) -> Nanosights:
    return Nanosights(served.url, project_key=served.keys["project-key"]["key"], **options)


def usermaven(served: Served, **options: Any) -> Usermaven:
    return Usermaven(served.url, **(options | served.keys["query-token"]))


def public_usermaven(served: Served, **options: Any) -> Usermaven:
    return Usermaven(served.url, api_key=served.keys["query-token"]["api_key"], **options)


def owlsignal(served: Served, **options: Any) -> Owlsignal:
    key = served.keys["bearer"]["key"]
    return Owlsignal(served.url, key=key, build_version="1.4.0", player="ada@example.com", session=SESSION, **options)
