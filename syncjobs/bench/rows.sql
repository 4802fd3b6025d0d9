-- What a page of a first load costs in SQL alone: the same final rows of entity, link, change
-- log and checkpoint that the engine writes, by COPY into a stage and merge, page by page.
-- Statements are separated by lines that begin with "-- :"; {schema} is the client's schema.

-- :prepare
CREATE TEMP TABLE bench_stage (
    LIKE {schema}.bench_record,
    server_version bigint,
    digest uuid
) ON COMMIT DELETE ROWS;

-- :copy
COPY bench_stage FROM STDIN;

-- :lock
UPDATE organizations_organization SET row_version = row_version + %(rows)s WHERE id = %(organization)s;

-- :merge
INSERT INTO {schema}.bench_record
SELECT {columns} FROM bench_stage
ON CONFLICT (bench_recordid) DO UPDATE SET versionnumber = excluded.versionnumber
WHERE bench_record.versionnumber IS DISTINCT FROM excluded.versionnumber;

-- :log
INSERT INTO organizations_changelog
    (organization_id, version, entity, record, action, origin, actor, values, at)
SELECT %(organization)s, versionnumber, 'bench_record', bench_recordid, 'create', %(origin)s, '',
    NULL, now()
FROM bench_stage;

-- :link
INSERT INTO syncjobs_link
    (entity_id, server_id, client_id, server_version, client_version, digest, state)
SELECT %(entity)s, bench_recordid, bench_recordid, server_version, versionnumber, digest, 0
FROM bench_stage
ON CONFLICT (entity_id, server_id) DO UPDATE SET
    client_id = excluded.client_id, server_version = excluded.server_version,
    client_version = excluded.client_version, digest = excluded.digest, state = excluded.state;

-- :checkpoint
UPDATE syncjobs_checkpoint SET resume = %(resume)s WHERE entity_id = %(entity)s;
