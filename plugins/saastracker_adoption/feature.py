"""What a feature is: a name, and the rules that say which events are its use."""

from typing import Annotated, TypeAlias

import msgspec

from saastracker.event import NAME_MAX, PLAN_MAX
from saastracker.rules import Rules

KIND = "feature"  # of definition, and the namespace of its cells

Plan: TypeAlias = Annotated[str, msgspec.Meta(min_length=1, max_length=PLAN_MAX)]


class Feature(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    name: Annotated[str, msgspec.Meta(min_length=1, max_length=NAME_MAX)]
    rules: Annotated[Rules, msgspec.Meta(description="An event that any of them matches is a use.")]
    min_events: Annotated[
        int,
        msgspec.Meta(
            ge=1,
            le=1_000_000,
            title="Events to adopt",
            description="So many in the span make an organization an adopter.",
        ),
    ] = 1
    plans: Annotated[
        tuple[Plan, ...], msgspec.Meta(max_length=50, description="Those it is meant for; none means all.")
    ] = ()
