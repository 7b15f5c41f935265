"""What may be defined as a funnel."""

from typing import Any

import msgspec
import pytest

from saastracker.errors import Invalid
from tests.plugins.funnels.defining import funnel


def test_what_need_not_be_told() -> None:
    found = funnel()
    assert (found.order, found.window_days, found.per, found.exclude) == ("sequential", 7, "person", ())
    assert not any(step.optional for step in found.steps)


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"name": " "}, r"\$\.name"),
        ({"steps": [{"name": "open"}]}, r"\$\.steps"),
        ({"steps": [{"name": "open"}] * 11}, r"\$\.steps"),
        ({"steps": [{"name": "open", "optional": True}, {"name": "save"}]}, r"\$\.steps\[0\]\.optional"),
        ({"steps": [{"name": "open"}, {"name": "save", "optional": True}]}, r"\$\.steps\[1\]\.optional"),
        (
            {"steps": [{"name": "a"}, {"name": "b", "optional": True}, {"name": "c"}], "order": "any"},
            r"\$\.steps\[1\]\.optional",
        ),
        ({"steps": [{"name": "open", "path": "/"}, {"name": "save"}]}, r"\$\.steps\[0\]"),
        ({"order": "reverse"}, r"\$\.order"),
        ({"window_days": 366}, r"\$\.window_days"),
        ({"window_days": -1}, r"\$\.window_days"),
        ({"per": "team"}, r"\$\.per"),
        ({"exclude": [{"name": "x"}] * 21}, r"\$\.exclude"),
    ],
)
def test_what_cannot_be_defined(fields: dict[str, Any], told: str) -> None:
    with pytest.raises((Invalid, msgspec.ValidationError), match=told):
        funnel(**fields)


def test_a_long_step_has_a_short_label() -> None:
    [first, _] = funnel(steps=[{"name": "a" * 200, "path_prefix": "/"}, {"name": "b"}]).labels
    assert len(first) == 120
