"""What a feature is: a name, and the rules that say which events are its use."""

from typing import Annotated, TypeAlias

import msgspec

from saastracker.event import NAME_MAX, PLAN_MAX
from saastracker.rules import Rules

KIND = "feature"  # of definition, and the namespace of its cells

Plan: TypeAlias = Annotated[str, msgspec.Meta(min_length=1, max_length=PLAN_MAX)]


class Feature(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    name: Annotated[str, msgspec.Meta(min_length=1, max_length=NAME_MAX)]
    rules: Rules  # an event that any of them matches is a use
    min_events: Annotated[int, msgspec.Meta(ge=1, le=1_000_000)] = (
        1  # in the span, for an organization to be an adopter
    )
    plans: Annotated[tuple[Plan, ...], msgspec.Meta(max_length=50)] = ()  # those it is meant for; empty: all
