"""The types of the API's fields, with what its description says of each."""

from typing import Annotated, TypeAlias

import msgspec
from msgspec import Meta

from saastracker.accounts.rules import EMAIL, EMAIL_MAX
from saastracker.event import NAME_MAX
from saastracker.fact_rules import HOST, HOST_MAX, KEEP_DAYS_MAX, NAME, ORIGINS_MAX, timezones
from saastracker.records import AccessScope
from saastracker.roles import Role as AccountRole
from saastracker.scope import LIMIT_DEFAULT, LIMIT_MAX

CURSOR_MAX = 600  # characters
BUDGET_MAX = 10**15

_UUID = "0b8f5d2e-5c1c-4f43-9a57-2f6d3c1e8a10"

Id: TypeAlias = Annotated[str, Meta(description="Given by the server; never changes.", examples=[_UUID])]
Slug: TypeAlias = Annotated[
    str, Meta(description="What addresses name a project by; unique per server, never changes.", examples=["shop"])
]
WorkspaceId: TypeAlias = Annotated[str, Meta(description="Id of the workspace.", examples=[_UUID])]
Version: TypeAlias = Annotated[
    int, Meta(ge=1, description="Grows by 1 with each change; what `If-Match` takes.", examples=[1])
]
Time: TypeAlias = Annotated[
    str,
    Meta(
        description="UTC, ISO 8601 with milliseconds.",
        examples=["2026-11-21T03:00:00.000Z"],
        extra_json_schema={"format": "date-time"},
    ),
]
Who: TypeAlias = Annotated[str, Meta(description="E-mail of the user, or name of the token.", examples=["ci"])]
Name: TypeAlias = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=NAME_MAX,
        pattern=NAME,
        description="For people: printable characters without blanks around them.",
        examples=["Shop"],
    ),
]
Email: TypeAlias = Annotated[
    str,
    Meta(max_length=EMAIL_MAX, pattern=EMAIL, description="An e-mail address.", examples=["ada@example.com"]),
]
Role: TypeAlias = Annotated[AccountRole, Meta(description="What a member may; each may what those before it may.")]
AnyScope: TypeAlias = Annotated[
    AccessScope, Meta(description="read: reports and settings; write: definitions too; admin: all settings.")
]
Origin: TypeAlias = Annotated[str, Meta(min_length=1, max_length=HOST_MAX, pattern=f"^{HOST}$")]
Origins: TypeAlias = Annotated[
    tuple[Origin, ...],
    Meta(
        max_length=ORIGINS_MAX,
        description="Hosts that may send from browsers, `*.` in front for all below one; none: all hosts may.",
        examples=[["app.example.com", "*.example.org"]],
    ),
]
KeepDays: TypeAlias = Annotated[
    int,
    Meta(
        ge=1,
        le=KEEP_DAYS_MAX,
        description="For how many local days before today events are kept; null: all.",
        examples=[365],
    ),
]
Zone: TypeAlias = Annotated[str, Meta(description="Of the reports' days, an IANA name.", examples=["Europe/Berlin"])]
Timezone: TypeAlias = Annotated[
    str,
    Meta(
        description="Zone of the reports' days, an IANA name.",
        examples=["Europe/Berlin"],
        extra_json_schema={"enum": sorted(timezones())},
    ),
]
Budget: TypeAlias = Annotated[
    int, Meta(ge=0, le=BUDGET_MAX, description="Events per month (UTC); null: no limit.", examples=[1_000_000])
]
Shown: TypeAlias = Annotated[
    dict[str, str],
    Meta(description="The key, shown this once; keep it now.", examples=[{"key": "sk_…"}]),
]


class Paging(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What every list takes."""

    limit: Annotated[int, Meta(ge=1, le=LIMIT_MAX, description="How many at most.", examples=[20])] = LIMIT_DEFAULT
    after: Annotated[
        str,
        Meta(
            max_length=CURSOR_MAX,
            pattern="^([0-9a-f]{2})*$",
            description='Where the page begins: copy it from `Link: rel="next"` of the page before.',
        ),
    ] = ""


class Nothing(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """No parameters at all."""
