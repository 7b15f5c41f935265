"""Keys of a project over the API: listed, made, replaced, limited, revoked."""

from datetime import date
from typing import Annotated

import msgspec
from msgspec import Meta

from saastracker.errors import Conflict, NotFound
from saastracker.fact_rules import RATE_MAX
from saastracker.records import HOUR_MS, Key
from saastracker.web.api.fields import Id, Shown, Time
from saastracker.web.api.operation import ID_MAX, Call, operation
from saastracker.web.faces import iso

TAG = "Keys"
OVERLAP_MAX = 24 * 365  # hours

Scheme = Annotated[str, Meta(description="Auth scheme: how events are signed that it sends.", examples=["bearer"])]


Rate = Annotated[
    int,
    Meta(
        ge=1,
        le=RATE_MAX,
        description="Requests a second that it may send, with room for bursts; null: any number.",
        examples=[100],
    ),
]


class KeyShown(msgspec.Struct, frozen=True, kw_only=True):
    """A key with which events are sent; of what it reads only the last characters are known."""

    id: Id
    scheme: Scheme
    ends_with: Annotated[str, Meta(description="Its last characters.", examples=["x7Qa"])]
    rate: Rate | None
    created_at: Time
    expires_at: Annotated[Time, Meta(description="It works until then; null: until it is revoked.")] | None
    revoked_at: Annotated[Time, Meta(description="Null: it is not.")] | None
    used_on: Annotated[date, Meta(description="The last day it was used on, UTC; null: never.")] | None


class KeyMade(KeyShown, frozen=True, kw_only=True):
    """A new key."""

    shown: Shown


class KeyNew(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A key to make."""

    scheme: Scheme
    overlap_hours: (
        Annotated[
            int,
            Meta(
                ge=0,
                le=OVERLAP_MAX,
                description="Rotates: the project's other keys of the scheme end after so long; null: they stay.",
                examples=[24],
            ),
        ]
        | None
    ) = None
    rate: Rate | None = None


class KeyChange(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What can change of a key."""

    rate: Rate | None


@operation(
    TAG, "GET", "/projects/{slug}/keys", needed="viewer", answer=KeyShown, listed=lambda each: each.created_at + each.id
)
def list_keys(call: Call) -> list[KeyShown]:
    """Keys of a project, oldest first; those revoked and expired too."""
    keys = call.site.facts.snapshot.keys.values()
    return [_shown(call, each) for each in keys if each.project == call.project.id]


@operation(
    TAG,
    "POST",
    "/projects/{slug}/keys",
    needed="admin",
    body=KeyNew,
    answer=KeyMade,
    status=201,
    refusals=(409,),
)
def add_key(call: Call, body: KeyNew) -> KeyMade:
    """Make a key, which is shown this once; with `overlap_hours` in place of the others of its scheme.

    Without a `rate` it takes over that of the newest one it replaces.
    """
    schemes = call.site.registry.auth_schemes
    scheme = schemes.get(body.scheme)
    if scheme is None:
        raise NotFound(f"There is no auth scheme {body.scheme[:ID_MAX]}; there are: {', '.join(schemes) or 'none'}.")
    overlap = None if body.overlap_hours is None else body.overlap_hours * HOUR_MS
    issue = call.site.facts.rotate(call.project, scheme, overlap_ms=overlap, rate=body.rate, who=call.who)
    if issue is None:
        raise Conflict(f"{scheme.name} has no keys of its own: it reads those of another scheme.")
    key, told = issue
    return KeyMade(**msgspec.structs.asdict(_shown(call, key)), shown=dict(told))


@operation(
    TAG,
    "PATCH",
    "/projects/{slug}/keys/{key}",
    needed="admin",
    body=KeyChange,
    answer=KeyShown,
    refusals=(409,),
)
def change_key(call: Call, body: KeyChange) -> KeyShown:
    """Limit how fast a key may send.

    Each server process counts by itself, and lets as much at once as ten seconds allow. What comes faster is answered
    429, that of owlsignal 503: with `Retry-After`, and nothing of it stored.
    """
    return _shown(call, call.site.facts.set_key(_key(call).id, rate=body.rate, who=call.who))


@operation(TAG, "DELETE", "/projects/{slug}/keys/{key}", needed="admin", status=204, refusals=(409,))
def revoke_key(call: Call) -> None:
    """Revoke a key: within five seconds nothing can be sent with it any more."""
    key = _key(call)
    if key.revoked_at is None:
        call.site.facts.revoke_key(key.id, who=call.who)


def _key(call: Call) -> Key:
    """Raises NotFound for another project's key."""
    key = call.path["key"]
    found = call.site.facts.snapshot.keys.get(key)
    if found is None or found.project != call.project.id:
        raise NotFound(f"This project has no key {key[:ID_MAX]}.")
    return found


def _shown(call: Call, key: Key) -> KeyShown:
    return KeyShown(
        id=key.id,
        scheme=key.scheme,
        ends_with=key.hint,
        rate=key.rate,
        created_at=iso(key.created_at),
        expires_at=None if key.expires_at is None else iso(key.expires_at),
        revoked_at=None if key.revoked_at is None else iso(key.revoked_at),
        used_on=call.site.facts.uses.used_on(key.id),
    )
