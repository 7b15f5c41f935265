"""What the buttons of the health reports write: signals that are dismissed, organizations that have left."""

from datetime import date
from pathlib import Path

import msgspec

from saastracker.report import Action, Report, Table
from saastracker.testing import InMemoryDefinitions
from saastracker_health.explaining import explained
from saastracker_health.kinds import Churn, Dismissal
from saastracker_health.signalling import report
from tests.asking import scope
from tests.indexed import reading
from tests.plugins.health.test_telling import BEGUN, EVENTS

ASKED = scope(f"from={BEGUN}&to={BEGUN}")


def in_rows(report: Report) -> dict[str, Action]:
    [table] = [block for block in report.blocks if isinstance(block, Table)]
    place = [column.type for column in table.columns].index("action")
    return {row[1]: row[place] for row in table.rows}


def test_a_signal_is_dismissed_by_its_button(tmp_path: Path) -> None:
    with reading(tmp_path, "UTC", EVENTS) as reader:
        offered = in_rows(report(reader, ASKED, InMemoryDefinitions()))
        action = offered.pop("inactive")
        assert (action.kind, action.asks, action.replaces) == ("dismissal", (), "")
        dismissal = msgspec.convert(action.value, Dismissal)
        assert dismissal == Dismissal(org="acme", signal="inactive", since=BEGUN)
        after = report(reader, ASKED, InMemoryDefinitions({"dismissal": [dismissal]}))
        assert in_rows(after).keys() == offered.keys()


def test_an_organization_is_marked_as_churned_and_not(tmp_path: Path) -> None:
    with reading(tmp_path, "UTC", EVENTS) as reader:
        [mark] = explained(reader, ASKED, InMemoryDefinitions(), "acme").actions
        assert (mark.kind, mark.asks) == ("churn", ("date",))
        assert msgspec.convert(mark.value, Churn) == Churn(org="acme", date=ASKED.today)
        others = Churn(org="other", date=date(2026, 6, 1))
        known = InMemoryDefinitions({"churn": [others, Churn(org="acme", date=date(2026, 6, 2))]})
        [undo] = explained(reader, ASKED, known, "acme").actions
        assert (undo.kind, undo.value, undo.replaces, undo.version) == ("churn", None, "2", 1)
