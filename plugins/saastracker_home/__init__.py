"""Home: what there is to do at first, then what happened, at a glance."""

from collections.abc import Sequence
from functools import partial

from saastracker.contracts import Config, Digest, Reader, ReportPage, Setups
from saastracker.definition import Definitions
from saastracker.hookspecs import hookimpl
from saastracker.report import Report
from saastracker.scope import Scope


@hookimpl
def reports(config: Config, definitions: Definitions, setups: Setups) -> Sequence[ReportPage]:  # noqa: ARG001
    return [
        ReportPage(
            slug="home",
            title="Home",
            section="Overview",
            load=partial(load, definitions, setups),
            key="h",
            digest=Digest(blocks={"totals": "", "events": "Events a day", "movers": "Organizations that changed most"}),
        )
    ]


def load(definitions: Definitions, setups: Setups, reader: Reader, scope: Scope) -> Report:
    from saastracker_home.blocks import report  # noqa: PLC0415  # numpy takes 13 MB, which an idle server is spared

    return report(definitions, setups, reader, scope)
