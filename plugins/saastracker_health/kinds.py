"""What people tell about organizations: that one has left, and that a signal needs no more attention."""

import datetime
from typing import Annotated, Literal, TypeAlias

import msgspec

from saastracker.event import NAME_MAX

Org: TypeAlias = Annotated[str, msgspec.Meta(min_length=1, max_length=NAME_MAX)]
Kind: TypeAlias = Literal["inactive", "health_drop", "usage_drop", "expansion"]


class Churn(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An organization that left on a date: the back-test looks at its scores before."""

    org: Org
    date: datetime.date


class Dismissal(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A signal that is not shown while its condition, met on the date `since`, goes on without a break."""

    org: Org
    signal: Kind
    since: datetime.date
