"""What the buttons on an issue's page write, carried out one after another."""

from pathlib import Path

import msgspec

from saastracker.contracts import Reader
from saastracker.definition import Defined
from saastracker.issues.kinds import Issue, check_issue
from saastracker.report import Action, Report, Table
from saastracker.testing import InMemoryDefinitions
from saastracker_errors import STATUS, detail
from tests.asking import SPAN, START, scope
from tests.indexed import DAY, reading
from tests.plugins.errors.failing import KEYS, TAGGERS, error, listed

BEGUN = START + 5 * DAY
SENT = [error(cause, number, time=BEGUN + cause * 1000 + number, user="u") for cause in range(3) for number in range(2)]


def page(reader: Reader, key: str, known: InMemoryDefinitions) -> Report:
    return detail(reader, scope(SPAN, "UTC", declared=(STATUS,)), key, definitions=known)


def actions(report: Report) -> dict[str, Action]:
    """By label, those in rows too."""
    rows = [(table, row) for table in report.blocks if isinstance(table, Table) for row in table.rows]
    found = {f"{cell.label} {row[0]}": cell for _, row in rows for cell in row if isinstance(cell, Action)}
    return found | {action.label: action for action in report.actions}


def carry_out(known: InMemoryDefinitions, action: Action, now: int = BEGUN + DAY, **fields: object) -> None:
    value = msgspec.convert(msgspec.to_builtins({**(action.value or {}), **fields}), Issue, strict=False)
    check_issue(value)
    assert set(fields) == set(action.asks)
    there = {each.id: each for each in known.of("", "issue")}
    old = there.get(action.replaces)
    assert (old is None) == (not action.replaces)
    assert old is None or old.version == action.version
    new = old.id if old else str(len(there) + 1)
    there[new] = Defined(id=new, version=action.version + 1, value=value, created_at=0, updated_at=now)
    known.defined["issue"] = tuple(there.values())


def status(reader: Reader, known: InMemoryDefinitions, key: str = KEYS[0]) -> str:
    return listed(reader, f"{SPAN}&status=all", "UTC", known)[0][key]["status"]  # type: ignore[no-any-return]


def test_the_status_goes_round(tmp_path: Path) -> None:
    known = InMemoryDefinitions()
    with reading(tmp_path, "UTC", SENT, taggers=TAGGERS) as reader:
        for label, wanted in (
            ("Resolve", "resolved"),
            ("Resolve in next release", "resolved-in-next"),
            ("Ignore", "ignored"),
        ):
            carry_out(known, actions(page(reader, KEYS[0], known))[label])
            assert status(reader, known) == wanted
            offered = actions(page(reader, KEYS[0], known))
            assert "Resolve" not in offered
            carry_out(known, offered["Reopen"])
            assert status(reader, known) == "open"
        ignore = actions(page(reader, KEYS[0], known))["Ignore until"]
        carry_out(known, ignore, ignored_until_events=7)
        assert known.of("", "issue")[0].value.ignored_until_events == 7
        assert status(reader, known, KEYS[1]) == "open"


def test_issues_are_merged_and_split_off(tmp_path: Path) -> None:
    known = InMemoryDefinitions()
    with reading(tmp_path, "UTC", SENT, taggers=TAGGERS) as reader:
        titles = {key: page(reader, key, known).title for key in KEYS[:3]}
        carry_out(known, actions(page(reader, KEYS[2], known))["Resolve"], now=BEGUN + DAY)
        carry_out(known, actions(page(reader, KEYS[0], known))["Ignore"], now=BEGUN + 2 * DAY)
        merge = actions(page(reader, KEYS[0], known))[titles[KEYS[2]]]
        assert merge.group == "Merge with"
        carry_out(known, merge, now=BEGUN + 9 * DAY)  # into that of the older definition
        rows = listed(reader, f"{SPAN}&status=all", "UTC", known)[0]
        assert set(rows) == {KEYS[1], KEYS[2]}
        assert (rows[KEYS[2]]["events"], rows[KEYS[2]]["status"]) == (4, "resolved")
        moment = known.of("", "issue")[0].value.resolved_at
        assert int(moment.timestamp() * 1000) == BEGUN + DAY  # as it was decided, not as it was merged
        carry_out(known, actions(page(reader, KEYS[1], known))[titles[KEYS[2]]])
        assert set(listed(reader, f"{SPAN}&status=all", "UTC", known)[0]) == {KEYS[2]}
        carry_out(known, actions(page(reader, KEYS[0], known))[f"Split off {KEYS[1]}"])
        assert set(listed(reader, f"{SPAN}&status=all", "UTC", known)[0]) == {KEYS[1], KEYS[2]}
