"""Adoption: which organizations and people use which features, how deeply, and who began or stopped to."""

from collections.abc import Sequence

from saastracker.contracts import Config, Match, Reader, ReportPage
from saastracker.definition import Definition, Definitions
from saastracker.hookspecs import hookimpl
from saastracker.matching import named
from saastracker.report import Report
from saastracker.rules import tagging
from saastracker.scope import Scope
from saastracker.tagger import Tagger
from saastracker_adoption.feature import KIND, Feature

# numpy takes 13 MB, which a server is spared until someone asks.


@hookimpl
def definitions(config: Config) -> Sequence[Definition]:  # noqa: ARG001
    about = "What people can use, and the events that show its use: reports count who does, and who stopped to."
    return [Definition(kind=KIND, title="Features", about=about, struct=Feature, preview=preview)]


def preview(
    reader: Reader, scope: Scope, _definitions: Definitions, feature: Feature, current: Feature | None
) -> Report:
    """Who would count as an adopter, against who does now."""
    from saastracker_adoption.previewing import preview as previewed  # noqa: PLC0415

    return previewed(reader, scope, feature, current)


@hookimpl
def taggers(config: Config) -> Sequence[Tagger]:  # noqa: ARG001
    return [Tagger(namespace=KIND, version=1, kind=KIND, tagging=lambda feature: tagging(feature.rules))]


@hookimpl
def reports(config: Config, definitions: Definitions) -> Sequence[ReportPage]:  # noqa: ARG001
    def load(reader: Reader, scope: Scope) -> Report:
        from saastracker_adoption.listing import listing  # noqa: PLC0415

        return listing(reader, scope, definitions.of(scope.project, KIND))

    def detail(reader: Reader, scope: Scope, feature: str) -> Report:
        from saastracker_adoption.detail import detail  # noqa: PLC0415

        return detail(reader, scope, definitions.of(scope.project, KIND), feature)

    def search(_: Reader, project: str, text: str, limit: int) -> Sequence[Match]:
        return [Match(each.id, each.value.name) for each in named(text, definitions.of(project, KIND))][:limit]

    return [
        ReportPage(
            slug="adoption",
            title="Features",
            section="Product",
            about="How many active organizations and people use each feature, and how deeply.",
            load=load,
            detail=detail,
            search=search,
            defines=(KIND,),
        )
    ]
