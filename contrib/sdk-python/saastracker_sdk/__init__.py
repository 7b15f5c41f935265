"""Sends events and errors to a saastracker server: a client for each wire format, for threads and for asyncio."""

from saastracker_sdk.drops import Drop
from saastracker_sdk.failure import Failure
from saastracker_sdk.handler import ErrorHandler
from saastracker_sdk.nanosights import Nanosights
from saastracker_sdk.options import Options
from saastracker_sdk.owlsignal import Owlsignal
from saastracker_sdk.saastracker import Saastracker
from saastracker_sdk.usermaven import Company, User, Usermaven

__all__ = [
    "Company",
    "Drop",
    "ErrorHandler",
    "Failure",
    "Nanosights",
    "Options",
    "Owlsignal",
    "Saastracker",
    "User",
    "Usermaven",
]
