"""The health model: what a score weighs, which windows it looks at, and the bands it falls into."""

from typing import Annotated, Literal, TypeAlias

import msgspec

from saastracker.definition import Definitions
from saastracker.errors import Invalid

KIND = "health-model"  # of definition

Band: TypeAlias = Literal["healthy", "watch", "at risk", "dormant", "onboarding"]
Weight: TypeAlias = Annotated[float, msgspec.Meta(ge=0, le=1000)]
Limit: TypeAlias = Annotated[int, msgspec.Meta(ge=1, le=100)]


class Weights(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How much each component counts; those of a component that cannot be computed go to the others."""

    recency: Weight = 20.0
    frequency: Weight = 25.0
    breadth: Weight = 20.0
    adoption: Weight = 20.0
    trend: Weight = 15.0


COMPONENTS = Weights.__struct_fields__


class HealthModel(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How a project's scores are computed. A project has at most one; should there be more, the oldest counts."""

    weights: Weights = Weights()
    window_days: Annotated[int, msgspec.Meta(ge=7, le=90)] = 28
    best_days: Annotated[int, msgspec.Meta(ge=1, le=366, description="In which breadth looks for the best window.")] = (
        180
    )
    active_days: Annotated[int, msgspec.Meta(ge=1, le=90, description="Of a window, for full frequency.")] = 20
    healthy: Annotated[Limit, msgspec.Meta(title="Healthy from", description="The lowest score of the band.")] = 70
    watch: Annotated[Limit, msgspec.Meta(title="Watch from")] = 40

    def level(self, score: float) -> Band:
        """The band of a rounded score."""
        return "healthy" if score >= self.healthy else "watch" if score >= self.watch else "at risk"


def check(model: HealthModel) -> None:
    """What types cannot say."""
    if model.weights.recency + model.weights.frequency == 0:
        raise Invalid("$.weights: Expected recency or frequency above 0, the others cannot always be computed")
    if model.active_days > model.window_days:
        raise Invalid("$.active_days: Expected at most window_days")
    if model.watch >= model.healthy:
        raise Invalid("$.watch: Expected less than healthy")


def current(definitions: Definitions, project: str) -> HealthModel:
    """The model by which a project's scores are computed."""
    for defined in definitions.of(project, KIND):
        model: HealthModel = defined.value
        return model
    return HealthModel()
