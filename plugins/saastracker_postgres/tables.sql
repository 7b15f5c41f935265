-- What the database holds. Texts compare by their bytes, as in the other stores.

CREATE TABLE texts (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    hash uuid NOT NULL UNIQUE, -- an index on the texts themselves would be larger than they are, and refuse long ones
    text text COLLATE "C" NOT NULL
);
CREATE TABLE projects (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    project text COLLATE "C" NOT NULL UNIQUE
);
-- `delay` is how long after `time` the event arrived.
CREATE TABLE event_rows (
    sequence bigint NOT NULL, project integer NOT NULL, "time" bigint NOT NULL, delay bigint NOT NULL,
    {coded},
    value double precision, properties text COLLATE "C", traits text COLLATE "C", id bytea
) PARTITION BY RANGE ("time");
CREATE TABLE event_rows_default PARTITION OF event_rows DEFAULT;
CREATE INDEX ON event_rows (sequence);
CREATE INDEX ON event_rows (project, sequence);
-- Few events tell something about people and organizations, and who asks that wants all of a project's.
CREATE INDEX ON event_rows (project, sequence) WHERE traits IS NOT NULL;
-- No index of a partitioned table is unique unless the time is part of it.
CREATE TABLE event_ids (project integer, id bytea, PRIMARY KEY (project, id));
CREATE VIEW events AS
    SELECT e.sequence, (SELECT project FROM projects WHERE id = e.project) AS project, e."time",
        e."time" + e.delay AS received_at, {texts}, e.value, e.properties, e.traits, e.id
    FROM event_rows e;

CREATE TABLE answers (
    digest bytea PRIMARY KEY, project text COLLATE "C" NOT NULL, at bigint NOT NULL, status integer NOT NULL,
    body bytea NOT NULL
);
CREATE INDEX ON answers (at);
CREATE TABLE usage (
    project text COLLATE "C", month text COLLATE "C", events bigint NOT NULL, PRIMARY KEY (project, month)
) WITH (fillfactor = 50);
CREATE TABLE refused (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, project text COLLATE "C" NOT NULL, at bigint NOT NULL,
    reason text COLLATE "C" NOT NULL, detail text COLLATE "C" NOT NULL, path text COLLATE "C" NOT NULL
);
CREATE INDEX ON refused (project, id);
CREATE TABLE refusals (
    project text COLLATE "C", day integer, reason text COLLATE "C", count bigint NOT NULL,
    PRIMARY KEY (project, day, reason)
);
CREATE TABLE records (
    number bigint GENERATED ALWAYS AS IDENTITY, kind text COLLATE "C", id text COLLATE "C", version integer NOT NULL,
    name text COLLATE "C", data bytea NOT NULL, PRIMARY KEY (kind, id), UNIQUE (kind, name)
);
CREATE INDEX ON records (kind, number);
-- `sequence` is the last that was given to an event, `texts` grows when texts or projects lose their numbers.
CREATE TABLE counters (name text PRIMARY KEY, value bigint NOT NULL) WITH (fillfactor = 10);
INSERT INTO counters VALUES ('change', 0), ('heartbeat', 0), ('inserted', 0), ('sequence', 0), ('texts', 0);
-- Where another engine keeps the events: how many inserts there were begun. No rollback takes one back, so that it tells
-- what the counter `inserted`, of the last that was committed, does not: that one may have left rows.
CREATE SEQUENCE inserts;

-- The index of `saastracker.sql_index`; all of it can be made again from `event_rows`.
CREATE TABLE index_series (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY, project integer NOT NULL, namespace text COLLATE "C" NOT NULL,
    environment text COLLATE "C" NOT NULL, UNIQUE (project, namespace, environment)
);
CREATE TABLE index_cells (
    project integer, series integer, day integer, key text COLLATE "C", data bytea NOT NULL,
    PRIMARY KEY (project, series, day, key)
);
CREATE TABLE index_days (project integer, day integer, low bigint NOT NULL, high bigint NOT NULL, PRIMARY KEY (project, day));
CREATE TABLE index_dirty (project integer, day integer, PRIMARY KEY (project, day));
CREATE TABLE index_open (project integer, day integer, PRIMARY KEY (project, day));
CREATE TABLE index_actors (
    id integer PRIMARY KEY, project integer NOT NULL, anonymous integer NOT NULL, person integer NOT NULL,
    org integer NOT NULL, first bigint NOT NULL, last bigint NOT NULL, changed bigint NOT NULL DEFAULT 0,
    UNIQUE (project, anonymous, person, org)
);
CREATE TABLE index_aliases (
    project integer, anonymous integer, "user" integer NOT NULL, changed bigint NOT NULL DEFAULT 0,
    PRIMARY KEY (project, anonymous)
);
CREATE TABLE index_chunks (
    project integer, kind text COLLATE "C", day integer, environment text COLLATE "C", key text COLLATE "C",
    number integer, data bytea NOT NULL, PRIMARY KEY (project, kind, day, environment, key, number)
);
-- Only those of several days.
CREATE TABLE index_sessions (
    project integer, session integer, first integer NOT NULL, last integer NOT NULL, PRIMARY KEY (project, session)
);
-- Bitmaps, with their lowest and highest member.
CREATE TABLE index_day_sessions (
    project integer, day integer, low bigint NOT NULL, high bigint NOT NULL, sessions bytea NOT NULL,
    PRIMARY KEY (project, day)
);
CREATE TABLE index_units (
    project integer, namespace text COLLATE "C", unit text COLLATE "C", version text COLLATE "C" NOT NULL,
    watermark bigint NOT NULL, PRIMARY KEY (project, namespace, unit)
);
CREATE TABLE index_seen (
    project integer, namespace text COLLATE "C", key text COLLATE "C", first bigint NOT NULL, last bigint NOT NULL,
    first_sequence bigint NOT NULL, last_sequence bigint NOT NULL, PRIMARY KEY (project, namespace, key)
);
CREATE TABLE index_zones (project integer PRIMARY KEY, zone text COLLATE "C" NOT NULL);
CREATE TABLE index_state (watermark bigint NOT NULL, version text COLLATE "C" NOT NULL, changes bigint NOT NULL);
INSERT INTO index_state VALUES (0, '', 0);
