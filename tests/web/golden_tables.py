"""The tables of the report that has one block of every kind."""

from datetime import date

from saastracker.report import (
    Column,
    Table,
)

PATHS = Table(
    key="paths",
    title="Pages",
    columns=(
        Column("path", "Path"),
        Column("views", "Views", "number", look="rank"),
        Column("persons", "People", "number"),
    ),
    rows=[
        ["/quotes", 84_210, 1912],
        ["/bookings", 61_377, 1640],
        ["/a/very/long/path/that/has/to/be/cut/somewhere/on/a/narrow/screen", 58_204, 1502],
        ["=cmd()", 4, None],
    ],
    whole=False,
    total=64,
    more="things",
)
NAMES = Table(
    key="names",
    title="Events by name",
    columns=(
        Column("name", "Name"),
        Column("events", "Events", "number", look="rank"),
        Column("mean", "Mean", "number"),
    ),
    rows=[[f"event.{number:02}", 1000 - number * 7, 1 / (number + 1)] for number in range(120)],
)
ORGANIZATIONS = Table(
    key="organizations",
    title="Organizations",
    columns=(
        Column("org", "Id", "code", place="never"),
        Column("name", "Organization", link="things/{org}"),
        Column("plan", "Plan", "tag", place="wide"),
        Column("events", "Events", "number"),
        Column("change", "Change", "number", unit="share", look="change", good="up"),
        Column("adoption", "Adoption", "number", unit="share", look="ratio", about="Features used of those eligible."),
        Column("length", "Median session", "number", unit="seconds", place="wide"),
        Column("last_seen", "Last seen", "time"),
        Column("since", "Customer since", "date", place="wide"),
        Column("band", "Health", "tag", look="status"),
        Column("trend", "Events per week", "spark"),
    ),
    rows=[
        [
            "halden",
            "Halden Cargo",
            "Scale",
            31_876,
            0.412,
            0.893,
            754,
            1_795_229_000_000,
            date(2024, 3, 12),
            "healthy",
            [3, 4, 3, 5, 6, 7, 9, 10],
        ],
        [
            "kessler & roth",
            "Kessler & Roth Logistics",
            "Team",
            8412,
            -0.376,
            0.446,
            43.2,
            1_795_190_000_000,
            date(2026, 1, 2),
            "watch",
            [9, 9, 8, 8, 7, 5, 4, 3],
        ],
        [
            "castellan/eu",
            "Castellan Transport",
            None,
            1288,
            -0.719,
            0.07,
            None,
            1_794_000_000_000,
            None,
            "at risk",
            [9, 9, 8, 6, None, 1, 1, 0],
        ],
        [None, None, None, 12, 0, None, 0.048, 1_700_000_000_000, None, "dormant", []],
    ],
)
HEALTH = Table(
    key="health",
    title="What the score is made of",
    columns=(
        Column("component", "Component"),
        Column("weight", "Weight", "number"),
        Column("points", "Points", "number"),
        Column("change_28", "28 days", "number", look="change", good="up"),
    ),
    rows=[
        ["Recency", 20, 20, 0],
        ["Frequency", 25, 21.2, -1.3],
        ["Breadth", 20, 10.6, -6],
        ["Trend", 15, None, None],
        ["Adoption", 20, 2.2, 1],
    ],
    chart="breakdown",
)
