-- What runs within the database; every release puts its own in place of these.

-- A group's rows wait in the temporary table `staged`: they become events, without those of repeated requests and
-- those stored before, and are counted as usage. `n` counts the rows from 1.
CREATE OR REPLACE FUNCTION append_staged(
    known_texts bigint, with_ids boolean,
    digests bytea[], places integer[], owners text[], ats bigint[], statuses integer[], bodies bytea[],
    OUT base bigint, OUT gone integer[],
    OUT repeated integer[], OUT repeated_statuses integer[], OUT repeated_bodies bytea[],
    OUT used_projects text[], OUT used_months text[], OUT used_events bigint[]
) LANGUAGE plpgsql AS $$
DECLARE
    twins integer[];
    added bigint;
BEGIN
    -- The lock on this row, held to the commit, makes the order of numbers the order of commits.
    SELECT value INTO base FROM counters WHERE name = 'sequence' FOR UPDATE;
    IF NOT EXISTS (SELECT 1 FROM counters WHERE name = 'texts' AND value = known_texts) THEN
        RAISE EXCEPTION 'texts were erased' USING ERRCODE = 'SA001';
    END IF;
    IF cardinality(digests) > 0 THEN
        SELECT array_agg(k.place), array_agg(a.status), array_agg(a.body)
        INTO repeated, repeated_statuses, repeated_bodies
        FROM unnest(digests, places, ats) AS k(digest, place, at)
        JOIN answers a ON a.digest = k.digest AND a.at > k.at - {answer_ms};
        IF repeated IS NOT NULL THEN
            WITH deleted AS (DELETE FROM staged WHERE submission = ANY (repeated) RETURNING n)
            SELECT array_agg(n) INTO gone FROM deleted;
        END IF;
        -- Up to two old ones go for each that comes: they never pile up, and no group pays for all of them.
        DELETE FROM answers WHERE digest IN (
            SELECT digest FROM answers WHERE at <= (SELECT min(k.at) FROM unnest(ats) AS k(at)) - {answer_ms}
            ORDER BY at LIMIT 2 * cardinality(digests)
        );
        INSERT INTO answers (digest, project, at, status, body)
        SELECT k.digest, k.owner, k.at, k.status, k.body
        FROM unnest(digests, places, owners, ats, statuses, bodies) AS k(digest, place, owner, at, status, body)
        WHERE k.status BETWEEN 200 AND 299 AND k.place <> ALL (coalesce(repeated, '{}'))
        ON CONFLICT (digest) DO UPDATE
        SET project = excluded.project, at = excluded.at, status = excluded.status, body = excluded.body;
    END IF;
    IF with_ids THEN
        WITH fresh AS (
            INSERT INTO event_ids (project, id) SELECT DISTINCT project, id FROM staged WHERE id IS NOT NULL
            ON CONFLICT DO NOTHING RETURNING project, id
        ), kept AS (
            SELECT min(s.n) AS n FROM staged s JOIN fresh f ON f.project = s.project AND f.id = s.id
            GROUP BY s.project, s.id
        ), deleted AS (
            DELETE FROM staged s WHERE s.id IS NOT NULL AND s.n NOT IN (SELECT k.n FROM kept k) RETURNING s.n
        )
        SELECT array_agg(n) INTO twins FROM deleted;
        gone := gone || twins;
    END IF;
    IF gone IS NULL THEN
        INSERT INTO event_rows ({columns}) SELECT base + s.n, {others} FROM staged s;
    ELSE
        INSERT INTO event_rows ({columns}) SELECT base + row_number() OVER (ORDER BY s.n), {others} FROM staged s;
    END IF;
    GET DIAGNOSTICS added = ROW_COUNT;
    UPDATE counters SET value = base + added WHERE name = 'sequence';
    WITH counted AS (
        SELECT s.project, s.month, count(*) AS events FROM staged s GROUP BY 1, 2
    ), stored AS (
        INSERT INTO usage AS u (project, month, events)
        SELECT p.project, substr(c.month::text, 1, 4) || '-' || substr(c.month::text, 5), c.events
        FROM counted c JOIN projects p ON p.id = c.project
        ON CONFLICT (project, month) DO UPDATE SET events = u.events + excluded.events
        RETURNING u.project, u.month, u.events
    )
    SELECT array_agg(project), array_agg(month), array_agg(events)
    INTO used_projects, used_months, used_events FROM stored;
END $$;

-- Properties as they were sent may hold what a text here cannot: then as much of them as can be read.
CREATE OR REPLACE FUNCTION readable(properties text) RETURNS json LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
BEGIN
    IF strpos(properties, '\u') = 0 THEN
        RETURN properties;
    END IF;
    BEGIN
        PERFORM properties::jsonb;
        RETURN properties;
    EXCEPTION WHEN data_exception THEN
        RETURN regexp_replace(properties, '\\u(0000|[dD][89a-fA-F][0-9a-fA-F]{2})', '\\ufffd', 'g');
    END;
END $$;

-- A property: a string as it is, lists and objects as JSON without white space, all else as it was sent.
CREATE OR REPLACE FUNCTION property(properties text, key text) RETURNS text
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
DECLARE
    value json := readable(properties) -> key;
BEGIN
    IF json_typeof(value) IN ('array', 'object') THEN
        RETURN regexp_replace(value::text, '("(?:[^"\\]|\\.)*")|\s+', '\1', 'g');
    END IF;
    RETURN value #>> '{}';
END $$;

CREATE OR REPLACE FUNCTION number_of(digits text) RETURNS double precision
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
BEGIN
    IF length(digits) < 300 AND digits !~ '[eE]' THEN
        RETURN digits;
    END IF;
    BEGIN -- which costs ten times as much as all else here
        RETURN digits;
    EXCEPTION WHEN data_exception THEN
        RETURN NULL;
    END;
END $$;
