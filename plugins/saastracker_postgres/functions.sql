-- What runs within the database; every release puts its own in place of these.

-- The numbers of texts, new ones for those without. Whoever commits an event later writes this to disk, too.
CREATE OR REPLACE FUNCTION numbered(hashes uuid[], sent text[], OUT hash uuid, OUT id integer)
RETURNS SETOF record LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    found bigint;
BEGIN
    RETURN QUERY SELECT t.hash, t.id FROM texts t WHERE t.hash = ANY (hashes);
    GET DIAGNOSTICS found = ROW_COUNT;
    IF found = cardinality(hashes) THEN
        RETURN;
    END IF;
    PERFORM set_config('synchronous_commit', 'off', true);
    -- One at a time, or two that add the same texts wait for each other.
    PERFORM pg_advisory_xact_lock({lock}, {numbering});
    INSERT INTO texts (hash, text)
    SELECT u.hash, u.text FROM unnest(hashes, sent) WITH ORDINALITY AS u(hash, text, place)
    WHERE NOT EXISTS (SELECT 1 FROM texts t WHERE t.hash = u.hash) ORDER BY u.place;
    RETURN QUERY SELECT t.hash, t.id FROM texts t WHERE t.hash = ANY (hashes);
END $$;

-- A group's transaction begins here: the last number given to an event, which of the requests `places` were sent before
-- and what they were answered, and which of the events `numbers` have an id that is stored, or came before them.
CREATE OR REPLACE FUNCTION begin_append(
    known_texts bigint,
    digests bytea[], places integer[], owners text[], ats bigint[], statuses integer[], bodies bytea[],
    numbers integer[], requests integer[], projects integer[], ids bytea[],
    OUT base bigint, OUT repeated integer[], OUT repeated_statuses integer[], OUT repeated_bodies bytea[],
    OUT gone integer[]
) LANGUAGE plpgsql AS $$
BEGIN
    -- The lock on this row, held to the commit, makes the order of numbers the order of commits.
    SELECT value INTO base FROM counters WHERE name = 'sequence' FOR UPDATE;
    IF EXISTS (SELECT 1 FROM counters WHERE name = 'sealed') THEN
        RAISE EXCEPTION 'sealed' USING ERRCODE = 'SA002';
    END IF;
    IF NOT EXISTS (SELECT 1 FROM counters WHERE name = 'texts' AND value = known_texts) THEN
        RAISE EXCEPTION 'texts were erased' USING ERRCODE = 'SA001';
    END IF;
    IF cardinality(digests) > 0 THEN
        SELECT array_agg(k.place), array_agg(a.status), array_agg(a.body)
        INTO repeated, repeated_statuses, repeated_bodies
        FROM unnest(digests, places, ats) AS k(digest, place, at)
        JOIN answers a ON a.digest = k.digest AND a.at > k.at - {answer_ms};
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
    IF cardinality(ids) > 0 THEN
        WITH sent AS (
            SELECT u.n, u.project, u.id FROM unnest(numbers, requests, projects, ids) AS u(n, request, project, id)
            WHERE u.request <> ALL (coalesce(repeated, '{}'))
        ), fresh AS (
            INSERT INTO event_ids (project, id) SELECT DISTINCT s.project, s.id FROM sent s
            ON CONFLICT DO NOTHING RETURNING project, id
        ), kept AS (
            SELECT min(s.n) AS n FROM sent s JOIN fresh f ON f.project = s.project AND f.id = s.id
            GROUP BY s.project, s.id
        )
        SELECT array_agg(s.n) INTO gone FROM sent s WHERE s.n NOT IN (SELECT k.n FROM kept k);
    END IF;
END $$;

-- It ends here, once the rows are there: counts them as usage, and tells what that is then.
CREATE OR REPLACE FUNCTION end_append(
    last bigint, added_projects text[], added_months text[], added bigint[],
    OUT project text, OUT month text, OUT events bigint
) RETURNS SETOF record LANGUAGE sql AS $$
    UPDATE counters SET value = last WHERE name = 'sequence';
    INSERT INTO usage AS u (project, month, events)
    SELECT * FROM unnest(added_projects, added_months, added)
    ON CONFLICT (project, month) DO UPDATE SET events = u.events + excluded.events
    RETURNING u.project, u.month, u.events;
$$;

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
