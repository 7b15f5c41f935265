"""What README.md links to is there; tests/docs runs its code, and looks at the pages of docs/."""

import re
from pathlib import Path

import pytest

from saastracker import hookspecs

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()
LINKS = sorted({path for path in re.findall(r"\]\(([^)]+)\)", README) if "://" not in path})


def anchor(heading: str) -> str:
    """As it is linked to."""
    return re.sub(r"[^\w -]", "", heading.lower()).strip().replace(" ", "-")


@pytest.mark.parametrize("link", LINKS)
def test_links(link: str) -> None:
    path, _, place = link.partition("#")
    file = ROOT / path if path else ROOT / "README.md"
    assert file.exists()
    if place:
        assert place in {anchor(heading) for heading in re.findall(r"^#+ (.+)$", file.read_text(), re.MULTILINE)}


def test_it_names_every_hook() -> None:
    names = [name for name, value in vars(hookspecs).items() if hasattr(value, "saastracker_spec")]
    assert len(names) > 10
    assert [name for name in names if f"`{name}`" not in README] == []
