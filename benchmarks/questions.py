"""What reports answer, asked of the raw events: in SQL as good as we can write it, for SQLite and for DuckDB."""

import re
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from saastracker.contracts import ReportPage

# Each a name, and a rule; one event is a use of one feature at most.
FEATURES = {
    "Export": {"name": "export_board"},
    "Share": {"name": "share_card"},
    "Invite": {"name": "invite_team"},
    "Archive": {"name": "archive_file"},
    "Files": {"name": "page_view", "path_prefix": "/files/"},
}
FUNNEL = ({"name": "page_view", "path_prefix": "/pricing/"}, {"name": "open_card"}, {"name": "save_board"})

Rows = list[tuple[Any, ...]]


class Question(NamedTuple):
    sql: tuple[
        str, ...
    ]  # all that the report shows takes them all; what they mean depends on the engine, see `written`
    ours: Callable[[Any], Any]  # figures of the report's blocks by key, to be equal to
    theirs: Callable[[list[Rows]], Any]  # the same of the rows of each statement


def written(sql: str, *, duckdb: bool) -> str:
    """The SQL of one engine: a whole division, a parameter, and a column of the row with the least or the most."""
    if not duckdb:
        return re.sub(r"(FIRST|LAST)\((\w+)\)", r'"\2"', sql.replace("//", "/"))
    sql = re.sub(r"FIRST\((\w+)\)", r'arg_min_null("\1", "time")', sql)
    return re.sub(r":(\w+)", r"$\1", re.sub(r"LAST\((\w+)\)", r'arg_max_null("\1", "time")', sql))


def parameters(sql: str) -> set[str]:
    """The names of an engine's parameters in some SQL."""
    return set(re.findall(r"[:$]([a-z]+)\b", sql)) & {"project", "start", "end"}


def _ordered(rows: Iterable[tuple[Any, ...]]) -> Rows:
    return sorted(rows, key=lambda row: [(value is None, value) for value in row])


def _of(block: str, *columns: str) -> Callable[[Any], Any]:
    """Some columns of a table."""

    def rows(blocks: Any) -> Any:
        keys = [column.key for column in blocks[block].columns]
        return _ordered(tuple(row[keys.index(column)] for column in columns) for row in blocks[block].rows)

    return rows


_IN = 'project = :project AND "time" >= :start AND "time" < :end'
_DAY = '"time" // 86400000'

ACTIVE = f"""WITH pairs AS MATERIALIZED (
    SELECT DISTINCT {_DAY} AS day, "user" AS person, org FROM events
    WHERE project = :project AND "time" >= :start - 2505600000 AND "time" < :end),
active AS (SELECT DISTINCT 'person' AS kind, day, person AS who FROM pairs WHERE person IS NOT NULL
    UNION ALL SELECT DISTINCT 'org', day, org FROM pairs WHERE org IS NOT NULL),
until AS (SELECT kind, day, LEAD(day, 1, 1000000) OVER (PARTITION BY kind, who ORDER BY day) AS again FROM active),
sizes AS (SELECT 1 AS size UNION ALL SELECT 7 UNION ALL SELECT 30),
changes AS (SELECT kind, size, day AS moment, 1 AS change FROM until, sizes
    UNION ALL SELECT kind, size, CASE WHEN again < day + size THEN again ELSE day + size END, -1 FROM until, sizes)
SELECT kind, size, moment, SUM(SUM(change)) OVER (PARTITION BY kind, size ORDER BY moment) FROM changes
GROUP BY kind, size, moment"""
NAMES = f"""SELECT name, COUNT(*), COUNT(DISTINCT "user"), COUNT(DISTINCT org) FROM events WHERE {_IN} GROUP BY name"""
NEW = """SELECT began // 86400000, COUNT(*) FROM (
    SELECT "user", MIN("time") AS began FROM events WHERE project = :project GROUP BY "user") GROUP BY 1"""
HOURS = f"""SELECT ({_DAY} + 3) % 7, "time" // 3600000 % 24, COUNT(*) FROM events WHERE {_IN} GROUP BY 1, 2"""

RETENTION = f"""WITH seen AS (SELECT DISTINCT "user" AS person, ({_DAY} + 3) // 7 AS week FROM events
    WHERE project = :project AND "user" IS NOT NULL),
began AS (SELECT week, MIN(week) OVER (PARTITION BY person) AS cohort FROM seen)
SELECT cohort, week - cohort, COUNT(*) FROM began WHERE cohort >= (:start // 86400000 + 3) // 7 GROUP BY 1, 2"""

_FEATURE = " ".join(
    f"WHEN name = '{rule['name']}'"
    + (f" AND substr(path, 1, {len(rule['path_prefix'])}) = '{rule['path_prefix']}'" if "path_prefix" in rule else "")
    + f" THEN '{feature}'"
    for feature, rule in FEATURES.items()
)
ADOPTION = f"""WITH used AS MATERIALIZED (
    SELECT CASE {_FEATURE} END AS feature, org, "user" AS person, COUNT(*) AS uses FROM events WHERE {_IN}
    GROUP BY 1, 2, 3),
active AS MATERIALIZED (SELECT org, COUNT(DISTINCT person) AS persons FROM used WHERE org IS NOT NULL GROUP BY org),
inside AS (SELECT feature, org, COUNT(DISTINCT person) AS persons, SUM(uses) AS uses FROM used
    WHERE feature IS NOT NULL AND org IS NOT NULL GROUP BY 1, 2),
persons AS (SELECT feature, COUNT(DISTINCT person) AS adopters FROM used WHERE feature IS NOT NULL GROUP BY 1)
SELECT i.feature, (SELECT COUNT(*) FROM active), COUNT(*), SUM(i.uses) * 1.0 / COUNT(*),
    AVG(i.persons * 1.0 / a.persons), MAX(p.adopters)
FROM inside i JOIN active a ON a.org = i.org JOIN persons p ON p.feature = i.feature GROUP BY i.feature"""
ADOPTED = f"""WITH begun AS (SELECT org, MIN("time") AS began FROM events WHERE project = :project GROUP BY org)
SELECT feature, f.org, adopted // 86400000 - began // 86400000 FROM (
    SELECT CASE {_FEATURE} END AS feature, org, MIN("time") AS adopted FROM events WHERE project = :project
        AND name IN ({", ".join(f"'{rule['name']}'" for rule in FEATURES.values())}) GROUP BY 1, 2) f
JOIN begun ON begun.org = f.org WHERE feature IS NOT NULL"""

VIEWS = f"""SELECT path, COUNT(*), COUNT(DISTINCT "user"), COUNT(DISTINCT org) FROM events
WHERE {_IN} AND type = 'pageview' AND path IS NOT NULL GROUP BY path"""
ENTRIES = f"""WITH steps AS MATERIALIZED (
    SELECT "user" AS person, session, type, path, "time", sequence,
        LEAD("time") OVER (PARTITION BY "user", session ORDER BY "time", sequence) AS again,
        SUM(CASE WHEN name <> '$pageleave' AND type <> 'vital' THEN 1 ELSE 0 END)
            OVER (PARTITION BY "user", session) AS counted
    FROM events WHERE {_IN} AND session IS NOT NULL),
views AS MATERIALIZED (
    SELECT path, counted, CASE WHEN again - "time" > 1800000 THEN 1800000 ELSE again - "time" END AS ms,
        ROW_NUMBER() OVER (PARTITION BY person, session ORDER BY "time", sequence) AS place,
        ROW_NUMBER() OVER (PARTITION BY person, session ORDER BY "time" DESC, sequence DESC) AS back
    FROM steps WHERE type = 'pageview'),
ranked AS (SELECT path, ms, ROW_NUMBER() OVER (PARTITION BY path ORDER BY ms) AS place,
    COUNT(*) OVER (PARTITION BY path) AS among FROM views WHERE ms IS NOT NULL)
SELECT path, SUM(CASE WHEN place = 1 THEN 1 ELSE 0 END), SUM(CASE WHEN back = 1 THEN 1 ELSE 0 END),
    SUM(CASE WHEN place = 1 AND counted = 1 THEN 1 ELSE 0 END), NULL FROM views GROUP BY path
UNION ALL SELECT path, NULL, NULL, NULL, AVG(ms) / 1000.0 FROM ranked
    WHERE place IN ((among + 1) // 2, (among + 2) // 2) GROUP BY path"""

ORGANIZATIONS = f"""SELECT org, COUNT(*), COUNT(DISTINCT "user"), MAX("time"), LAST(plan) FROM events
WHERE {_IN} AND org IS NOT NULL GROUP BY org"""
SEEN = """SELECT org, MIN("time"), MAX("time") FROM events WHERE project = :project AND org IS NOT NULL GROUP BY org"""

_PREFIX = FUNNEL[0]["path_prefix"]
FUNNELS = f"""WITH done AS MATERIALIZED (
    SELECT "user" AS person, "time" AS moment,
        CASE name WHEN '{FUNNEL[0]["name"]}' THEN 1 WHEN '{FUNNEL[1]["name"]}' THEN 2 ELSE 3 END AS step
    FROM events WHERE project = :project AND "time" >= :start AND "time" < :end + 604800000 AND "user" IS NOT NULL
        AND (name IN ('{FUNNEL[1]["name"]}', '{FUNNEL[2]["name"]}')
            OR name = '{FUNNEL[0]["name"]}' AND substr(path, 1, {len(_PREFIX)}) = '{_PREFIX}')),
first AS MATERIALIZED (SELECT person, MIN(moment) AS one FROM done WHERE step = 1 AND moment < :end GROUP BY person),
second AS MATERIALIZED (SELECT first.person, one, MIN(moment) AS two FROM first JOIN done
    ON done.person = first.person AND step = 2 AND moment >= one AND moment <= one + 604800000
    GROUP BY first.person, one),
third AS MATERIALIZED (SELECT second.person, two, MIN(moment) AS three FROM second JOIN done
    ON done.person = second.person AND step = 3 AND moment >= two AND moment <= one + 604800000
    GROUP BY second.person, two),
taken AS (SELECT 1 AS step, 0 AS ms FROM first UNION ALL SELECT 2, two - one FROM second
    UNION ALL SELECT 3, three - two FROM third),
ranked AS (SELECT step, ms, ROW_NUMBER() OVER (PARTITION BY step ORDER BY ms) AS place,
    COUNT(*) OVER (PARTITION BY step) AS among FROM taken)
SELECT step, MAX(among), AVG(CASE WHEN place IN ((among + 1) // 2, (among + 2) // 2) THEN ms / 1000.0 END),
    MIN(CASE WHEN place * 10 >= among * 9 THEN ms / 1000.0 END)
FROM ranked GROUP BY step"""

ERRORS = f"""SELECT properties ->> '$.code', COUNT(*), COUNT(DISTINCT "user"), COUNT(DISTINCT org) FROM events
WHERE {_IN} AND (type = 'error' OR name IN ('error', 'exception')) GROUP BY 1"""
FIRST_SEEN = """SELECT properties ->> '$.code', MIN("time"), MAX("time"), MIN(release), MAX(release) FROM events
WHERE project = :project AND (type = 'error' OR name IN ('error', 'exception')) GROUP BY 1"""

SESSIONS = f"""WITH told AS MATERIALIZED (
    SELECT "user" AS person, session, MIN("time") AS began, MAX("time") - MIN("time") AS ms, COUNT(*) AS steps,
        SUM(CASE WHEN name <> '$pageleave' AND type <> 'vital' THEN 1 ELSE 0 END) AS counted, FIRST(release) AS version
    FROM events WHERE {_IN} AND session IS NOT NULL GROUP BY 1, 2),
ranked AS (SELECT ms, ROW_NUMBER() OVER (ORDER BY ms) AS place, COUNT(*) OVER () AS among FROM told)
SELECT 'totals' AS what, COUNT(*), SUM(steps), AVG(ms) / 1000.0, SUM(CASE WHEN counted = 1 THEN 1 ELSE 0 END), (
    SELECT AVG(ms) / 1000.0 FROM ranked WHERE place IN ((among + 1) // 2, (among + 2) // 2)) FROM told
UNION ALL SELECT version, COUNT(*), SUM(steps), AVG(ms) / 1000.0, 0, 0 FROM told GROUP BY 1
UNION ALL SELECT * FROM (SELECT session, began, ms, steps, 0, 0 FROM told ORDER BY began DESC LIMIT 100)"""

_CHANNEL = """CASE WHEN medium = 'cpc' THEN 'paid' WHEN medium = 'email' THEN 'e-mail' WHEN source IS NOT NULL
    THEN 'campaign' WHEN referrer IS NULL THEN 'direct' WHEN referrer IN ('www.google.com', 'www.bing.com')
    THEN 'organic search' WHEN referrer IN ('t.co', 'www.linkedin.com') THEN 'social' ELSE 'referral' END"""
SOURCES = f"""WITH told AS MATERIALIZED (
    SELECT "user" AS person, session, MIN("time") AS began, FIRST(referrer) AS referrer, FIRST(source) AS source,
        FIRST(medium) AS medium, FIRST(campaign) AS campaign, FIRST(country) AS country, FIRST(browser) AS browser,
        FIRST(os) AS os, FIRST(device) AS device
    FROM events WHERE {_IN} AND session IS NOT NULL AND type = 'pageview' GROUP BY 1, 2)
""" + " UNION ALL ".join(
    f"SELECT '{name}' AS what, {value}, COUNT(*), COUNT(DISTINCT person) FROM told GROUP BY 2"
    for name, value in {
        "referrer": "referrer",
        "channel": _CHANNEL,
        "source": "source",
        "medium": "medium",
        "campaign": "campaign",
        "country": "country",
        "browser": "browser",
        "os": "os",
        "device": "device",
    }.items()
)

EXPLORER = f"SELECT properties ->> '$.source', COUNT(*) FROM events WHERE {_IN} GROUP BY 1"

QUESTIONS = {
    "activity": Question(
        (ACTIVE, NAMES, NEW, HOURS),
        _of("names", "name", "events", "persons", "organizations"),
        lambda found: sorted(found[1]),
    ),
    "retention": Question(
        (RETENTION,),
        lambda blocks: [row[0] for row in blocks["cohorts"].values if row[0]],
        lambda found: [count for _, period, count in sorted(found[0]) if period == 0],
    ),
    "adoption": Question(
        (ADOPTION, ADOPTED),
        _of("features", "feature", "active_orgs", "adopters", "person_adopters"),
        lambda found: sorted((row[0], row[1], row[2], row[5]) for row in found[0]),
    ),
    "pages": Question(
        (VIEWS, ENTRIES),
        _of("paths", "path", "views", "persons", "organizations"),
        lambda found: sorted(sorted(found[0], key=lambda row: (-row[1], row[0]))[:1000]),
    ),
    "organizations": Question(
        (ORGANIZATIONS, SEEN),
        _of("organizations", "org", "events", "persons"),
        lambda found: sorted(row[:3] for row in found[0]),
    ),
    "funnels": Question(
        (FUNNELS,),
        lambda blocks: [row[1] for row in blocks["steps"].rows],
        lambda found: [row[1] for row in sorted(found[0])],
    ),
    "errors": Question(
        (ERRORS, FIRST_SEEN),
        lambda blocks: sorted(row[1:] for row in _of("issues", "issue", "events", "persons", "organizations")(blocks)),
        lambda found: sorted(row[1:] for row in found[0]),
    ),
    "sessions": Question(
        (SESSIONS,),
        lambda blocks: next(each.value for each in blocks["totals"].figures if each.key == "sessions"),
        lambda found: next(row[1] for row in found[0] if row[0] == "totals"),
    ),
    "sources": Question(
        (SOURCES,),
        _of("countries", "name", "sessions", "persons"),
        lambda found: sorted(row[1:] for row in found[0] if row[0] == "country"),
    ),
    "explorer": Question((EXPLORER,), _of("result", "prop.source", "events"), lambda found: _ordered(found[0])),
}

# What reports are asked beside the span of 90 days.
ASKED = {"explorer": "by=prop.source", "paths": "start=page_view"}
FULL = ("pages", "organizations", "errors")  # lists of which all rows are compared


def query(page: ReportPage) -> str:
    """The query string with which a report is asked."""
    more = [ASKED[page.slug]] if page.slug in ASKED else []
    return "&".join(["range=90d", *more, *(["limit=1000"] if page.slug in FULL else [])])
