"""The definition "funnel": steps that people are expected to go through, and how an attempt counts."""

from typing import Annotated, Literal, TypeAlias

import msgspec

from saastracker.errors import Invalid
from saastracker.rules import RULES_MAX, Name, Rule

Order: TypeAlias = Literal["sequential", "strict", "any"]
Per: TypeAlias = Literal["person", "organization", "session"]

STEPS_MIN, STEPS_MAX = 2, 10
WINDOW_DAYS_MAX = 365
LABEL_MAX = 120  # characters


class Step(Rule, frozen=True, forbid_unknown_fields=True):
    """An event that fits the rule."""

    optional: Annotated[bool, msgspec.Meta(description="It may be missing between the steps around it.")] = False

    @property
    def label(self) -> str:
        """What a report calls it: the event's name, then the conditions."""
        conditions = (f"{key}={value}" for key, value in (self.properties or {}).items())
        label = " ".join((self.name, *([self.path_prefix] if self.path_prefix else []), *conditions))
        return label if len(label) <= LABEL_MAX else f"{label[: LABEL_MAX - 1]}…"


class Funnel(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What `POST /api/v1/projects/{slug}/definitions/funnel` takes."""

    name: Name
    steps: Annotated[tuple[Step, ...], msgspec.Meta(min_length=STEPS_MIN, max_length=STEPS_MAX)]
    order: Annotated[
        Order,
        msgspec.Meta(description="Strict: nothing else between. Any: as many steps as were done, whichever."),
    ] = "sequential"
    window_days: Annotated[
        int,
        msgspec.Meta(
            ge=0, le=WINDOW_DAYS_MAX, title="Days", description="Of 24 hours, from the first step; 0 means no end."
        ),
    ] = 7
    per: Per = "person"
    exclude: Annotated[
        tuple[Rule, ...], msgspec.Meta(max_length=RULES_MAX, description="An event that any matches ends an attempt.")
    ] = ()

    @property
    def labels(self) -> tuple[str, ...]:
        """The steps as a report names them."""
        if self.order == "any":
            return tuple(f"{count} of {len(self.steps)}" for count in range(1, len(self.steps) + 1))
        return tuple(step.label for step in self.steps)

    @property
    def path(self) -> str:
        """All steps in one line."""
        if self.order == "any":
            return ", ".join(step.label for step in self.steps)
        return " → ".join(f"({step.label})" if step.optional else step.label for step in self.steps)

    @property
    def previous(self) -> tuple[int, ...]:
        """Of each step the last required one before it; of the first itself."""
        found = [0]
        for number in range(1, len(self.steps)):
            found.append(found[-1] if self.steps[number - 1].optional else number - 1)
        return tuple(found)


def check(funnel: Funnel) -> None:
    """What types cannot say. Raises Invalid."""
    if not funnel.name.strip():
        raise Invalid("$.name: Expected a name for the list of funnels")
    for number, step in enumerate(funnel.steps):
        place = f"$.steps[{number}].optional"
        if step.optional and number in {0, len(funnel.steps) - 1}:
            raise Invalid(f"{place}: Expected false, a funnel begins and ends with a required step")
        if step.optional and funnel.order == "any":
            raise Invalid(f"{place}: Expected false, with the order `any` every step may be missing")
